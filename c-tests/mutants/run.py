"""Breaks the library on purpose, and tells which breaks no test notices.

    run.py [--only PART]... [--changed-since REVISION [--fill]] [--generated] [--shard K/N] [--jobs N] [--most N]
           [--quick] [--list]

A mutant is a change of one place in the source. For each one the library is built, and the tests that can notice it run
until one fails: then the mutant is dead. Those that live are listed by file and line, and fail the run; so does a
mutant whose place in the source is gone, of which nothing is known any more. The table of all goes to
target/mutants/table.md.

Mutants that were written by hand are in by-hand/*.toml, an entry each:

    [[mutant]]
    file = "src/inside/land.rs"
    says = "what is broken, in a sentence"
    before = "text that is there once"        # or twice: occurrence = 2 takes the second
    after = "what stands there instead"
    also = [{ file = "...", before = "...", after = "..." }]   # other places that change with it
    tests = ["rust:land", "c:traps/*"]         # cargo test's filter; programs of c-tests/capi, with the shared library;
                                               # or one with the static one (static:setup/x); or one that leaves its
                                               # handlers by a jump (jump:leaving/*); or make:TARGET, which variables
                                               # may follow
    equivalent = "why nothing can notice"      # instead of tests, for one that is listed and not run

With --generated, those that cargo-mutants finds come on top; equivalent.toml says where they may be, which tests can
notice them, and which ones nothing can. --shard 2/5 takes the third fifth of all. With --fill, --most N takes those in
files that have changed first, and then others, until there are N. --quick leaves out what wants a make target, such as
an emulated machine.
"""

import argparse
import concurrent.futures
import contextlib
import fnmatch
import json
import os
import pathlib
import platform
import queue
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path("target/mutants")
PROGRAMS = "target/c-tests/capi/shared"
BY_JUMP = "target/c-tests/capi/lib/libleavebyjump.so"
# Seconds: a build of the library, and a test program, which ends itself far sooner unless it hangs.
BUILD_LIMIT, TEST_LIMIT = 600, 120
# Of a test program that has passed before in less than a second; else so many times what it took then.
LEAST_LIMIT, TIMES = 30, 30
# What a program says that has nothing to do here (c-tests/capi/support/tap.c).
SKIPPED = re.compile(r"^1\.\.0 # SKIP (.*)", re.M)
# A library that is built in seconds. Nothing that the tests look at depends on the optimiser's level.
QUICK_BUILD = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
               "CARGO_PROFILE_RELEASE_INCREMENTAL": "true", "CARGO_PROFILE_RELEASE_DEBUG": "0"}


class Mutant:
    """A change of one place, or of several. `change` is the text of each file that is another one then, a patch, or why
    there is neither."""

    def __init__(self, name, file, line, says, change, tests, equivalent):
        self.name, self.file, self.line, self.says = name, file, line, says
        self.change, self.tests, self.equivalent = change, tests, equivalent

    def files(self):
        """The files that it changes."""
        return list(self.change) if isinstance(self.change, dict) else [self.file]

    def __str__(self):
        return f"{self.file}:{self.line}: {self.says}"


def place_of(text, part, occurrence):
    """Where `part` stands in `text` for the n-th time; None if it does not."""
    at = -1
    for _ in range(occurrence):
        at = text.find(part, at + 1)
        if at < 0:
            return None
    return at


class OutOfDate(Exception):
    """The source has moved on."""


class Unbuildable(Exception):
    """The compiler refuses it."""


class Skipped(Exception):
    """All its tests are about something that this machine does not have."""


def mutated(file, before, after, occurrence=None):
    """The text of a file with one place changed, and the line of that place."""
    path = pathlib.Path(file)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    at = place_of(text, before, occurrence or 1)
    if at is None or (occurrence is None and text.count(before) != 1):
        raise OutOfDate(f"{file} has {text.count(before)} places with {before!r}")
    return text[:at] + after + text[at + len(before):], text.count("\n", 0, at) + 1


def written_by_hand():
    """The mutants of by-hand/*.toml. One whose place is not there, or not once, has OutOfDate for its change."""
    for path in sorted((HERE / "by-hand").glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]:
            if not entry.get("tests") and not entry.get("equivalent"):
                sys.exit(f"{path}: neither tests nor an argument: {entry['says']}")
            places = [{key: entry[key] for key in ("file", "before", "after", "occurrence") if key in entry}]
            places += entry.get("also", [])
            if len({place["file"] for place in places}) != len(places):
                sys.exit(f"{path}: two places in one file: {entry['says']}")
            try:
                texts = {place["file"]: mutated(**place) for place in places}
                line, change = texts[entry["file"]][1], {file: text for file, (text, _) in texts.items()}
            except OutOfDate as problem:
                line, change = 0, problem
            yield Mutant(f"{path.stem}: {entry['says']}", entry["file"], line, entry["says"], change,
                         entry.get("tests", []), entry.get("equivalent"))


def as_compiled_here(tree):
    """A copy of the source in which the modules are those of this machine: cargo-mutants looks at `path` attributes,
    and at no condition of them."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = [file for file in sources() if file.endswith((".rs", ".toml", "Cargo.lock"))]
    here = {f'target_os = "{sys.platform}"', f'target_arch = "{platform.machine()}"', "unix"}

    def holds(condition):
        return here.issuperset(condition.removeprefix("all(").removesuffix(")").split(", "))

    for file in listed:
        if not pathlib.Path(file).is_file():
            continue
        copy = tree / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(re.sub(r"#\[cfg_attr\((.*), path = (\"[^\"]*\")\)\]",
                               lambda found: f"#[path = {found[2]}]" if holds(found[1]) else "",
                               pathlib.Path(file).read_text(encoding="utf-8")), encoding="utf-8")


def generated(parts, where=None):
    """The mutants that cargo-mutants finds where equivalent.toml says, there under `where`, or in those of these
    files."""
    config = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))
    places = config[where] if where else config
    for one in config["equivalent"]:
        path = pathlib.Path(one["file"])
        if not path.exists() or one["line"] not in path.read_text(encoding="utf-8"):
            problem = OutOfDate(f"{path} has no line with {one['line']!r}")
            yield Mutant(f"{path}: {one['says']}", str(path), 0, one["says"], problem, [], one["why"])
    tree = OUT.absolute() / "listing"
    as_compiled_here(tree)
    listing = subprocess.run(["cargo", "mutants", "--list", "--json", "--diff"], cwd=tree, check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    for entry in json.loads(listing):
        file, name, diff = entry["file"], entry["name"], entry["diff"]
        if parts and not any(part in file or part in name for part in parts):
            continue
        if not any(fnmatch.fnmatch(file, pattern) for pattern in places["in"]):
            continue
        if any(fnmatch.fnmatch(file, pattern) for pattern in places["not-in"]):
            continue
        tests = next((tests for pattern, tests in config["tests"].items() if fnmatch.fnmatch(file, pattern)),
                     ["rust:", "c:*"])
        line = entry.get("span", {}).get("start", {}).get("line", 0)
        says, text = name.split(": ", 1)[-1], pathlib.Path(file).read_text(encoding="utf-8").splitlines()[line - 1]
        equivalent = next((one["why"] for one in config["equivalent"] if one["file"] == file
                           and fnmatch.fnmatchcase(says, one["says"]) and one["line"] in text), None)
        yield Mutant(name, file, line, says, diff, tests, equivalent)


def run(command, tree, limit, environment=()):
    """The exit status and the output of a command; if it takes too long, it is ended with all that it has started."""
    process = subprocess.Popen(command, cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
                               env={**os.environ, **dict(environment)})
    try:
        output, _ = process.communicate(timeout=limit)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        return 124, "it did not end"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def git(*arguments):
    """What git says, as lines; None if this is no repository of its."""
    if not pathlib.Path(".git").exists():
        return None
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.splitlines()


def sources():
    """All files of the source."""
    listed = git("ls-files", "--cached", "--others", "--exclude-standard")
    if listed is not None:
        return listed
    return [str(path) for path in pathlib.Path(".").rglob("*") if path.is_file() and "target" not in path.parts]


class Tree:
    """A copy of the source, with tests built beside it once. One mutant at a time lives in it."""

    # How long each program takes where nothing is broken.
    seconds = {}

    def __init__(self, number):
        self.path = OUT.absolute() / f"tree-{number}"
        files = set(sources())
        for file in files:
            source, copy = pathlib.Path(file), self.path / file
            if not source.is_file():
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            # Only what has changed, so that nothing is built without need.
            if not copy.exists() or copy.read_bytes() != source.read_bytes():
                shutil.copy2(source, copy)
                copy.touch()
        # What has gone from the source since the copy was made.
        for copy in self.path.rglob("*"):
            kept = copy.relative_to(self.path)
            if copy.is_file() and kept.parts[0] != "target" and str(kept) not in files:
                copy.unlink()
        shutil.copytree("target/setup", self.path / "target/setup", dirs_exist_ok=True)

    def build(self, goal=()):
        """Builds the library, and with `goal` something more. None, or what went wrong."""
        command = ["make", "-s", "-j2", "SETUP=no", *(goal or ["target/release/libwasmtrap.so"])]
        status, output = run(command, self.path, BUILD_LIMIT, QUICK_BUILD.items())
        return None if status == 0 else output

    def prepare(self, tests):
        """Builds the programs that are among the tests, once."""
        programs = {name for test in tests for name in self.programs(test)}
        wanted = [f"{PROGRAMS}/{name}.t" for name in sorted(programs)]
        if any(test.startswith("jump:") for test in tests):
            wanted.append(BY_JUMP)
        failure = self.build(wanted)
        if failure:
            sys.exit(f"the tests cannot be built:\n{failure[-3000:]}")

    def programs(self, test):
        """The programs of c-tests/capi that a test names."""
        kind, pattern = test.split(":", 1)
        if kind not in ("c", "jump"):
            return []
        # Those have rules of their own, and not every file there is a program's.
        if pattern.startswith("standalone/"):
            return [pattern]
        folder = self.path / "c-tests/capi"
        sources = [*folder.glob("*/*.c"), *folder.glob("*/*.cc")]
        names = sorted(str(source.relative_to(folder).with_suffix("")) for source in sources)
        found = [name for name in names
                 if not name.startswith(("support/", "standalone/")) and fnmatch.fnmatch(name, pattern)]
        if not found:
            sys.exit(f"no program is called {pattern}")
        return found

    def commands(self, tests):
        """A name and a command for each test that is asked for."""
        for test in tests:
            kind, pattern = test.split(":", 1)
            if kind == "rust":
                yield f"cargo test {pattern}", ["cargo", "test", "-q", "--locked", "--lib", "--target-dir", "target",
                                                *([pattern] if pattern else [])]
            elif kind == "static":
                # It has the library in itself, so that it is built anew.
                program = f"{PROGRAMS}/{pattern}.t".replace("/shared/", "/static/")
                yield f"{pattern}, static", ["sh", "-c", 'make -s SETUP=no "$1" && "$1"', "sh", program]
            elif kind == "make":
                yield f"make {pattern}", ["make", "-s", "SETUP=no", *pattern.split()]
            elif kind == "jump":
                for name in self.programs(test):
                    yield f"{name}, by a jump", ["env", f"LD_PRELOAD={self.path}/{BY_JUMP}", f"{PROGRAMS}/{name}.t"]
            else:
                for name in self.programs(test):
                    yield name, [f"{PROGRAMS}/{name}.t"]

    def notices(self, tests):
        """The first test that fails, or None. The library is built when the first one needs it: unit tests have it in
        themselves."""
        built = False
        reasons = []
        for name, command in self.commands(tests):
            if not built and command[0] != "cargo":
                if self.build():
                    raise Unbuildable
                built = True
            limit = TEST_LIMIT if command[0] == "cargo" and name in self.seconds else BUILD_LIMIT
            if command[-1].startswith("target/"):
                limit = min(TEST_LIMIT, max(LEAST_LIMIT, TIMES * self.seconds.get(name, TEST_LIMIT)))
            began = time.monotonic()
            status, output = run(command, self.path, limit, QUICK_BUILD.items())
            if command[0] == "cargo" and "error: could not compile" in output:
                raise Unbuildable
            if status != 0:
                return name
            reasons.append(SKIPPED.search(output))
            self.seconds.setdefault(name, time.monotonic() - began)
            if command[0] == "cargo" and "running 0 tests" in output:
                sys.exit(f"{name} finds no test")
        if reasons and all(reasons):
            raise Skipped(reasons[0].group(1))
        return None

    def try_out(self, mutant):
        """What came of a mutant: a word, and by what."""
        if isinstance(mutant.change, OutOfDate):
            return "out of date", str(mutant.change)
        originals = {self.path / file: (self.path / file).read_bytes() for file in mutant.files()}
        try:
            if isinstance(mutant.change, str):
                subprocess.run(["patch", "-p1", "-s", "--no-backup-if-mismatch", mutant.file], cwd=self.path,
                               input=mutant.change, text=True, check=True, stdout=subprocess.DEVNULL)
            else:
                for file, text in mutant.change.items():
                    (self.path / file).write_text(text, encoding="utf-8")
            killer = self.notices(mutant.tests)
            return ("dead", killer) if killer else ("alive", ", ".join(mutant.tests))
        except Unbuildable:
            return "unbuildable", "the compiler"
        except Skipped as reason:
            return "not tried", str(reason)
        finally:
            for place, original in originals.items():
                place.write_bytes(original)


def is_to_run(mutant):
    """One that is argued to be equivalent, or has lost its place, takes no time."""
    return not mutant.equivalent and not isinstance(mutant.change, OutOfDate)


def spread(mutants, most):
    """So many of them, from all over the list, and the same ones each time."""
    long = [mutant for mutant in mutants if is_to_run(mutant)]
    step = max(1.0, len(long) / most) if most else 1.0
    kept = {long[int(index * step)] for index in range(min(most, len(long)))}
    return [mutant for mutant in mutants if mutant in kept or mutant not in long]


def chosen(arguments):
    """The mutants that are asked for, in the order of the files."""
    changed = None
    if arguments.changed_since is not None:
        changed = set(git("diff", "--name-only", arguments.changed_since, "--") or [])
    mutants = list(written_by_hand())
    if arguments.generated:
        mutants += generated(arguments.only)

    def is_asked_for(mutant):
        return not arguments.only or any(part in mutant.file or part in mutant.name for part in arguments.only)

    mutants = [mutant for mutant in mutants if is_asked_for(mutant)]
    if arguments.quick:
        mutants = [mutant for mutant in mutants if not any(test.startswith("make:") for test in mutant.tests)]
    others = []
    if changed is not None:
        others = [mutant for mutant in mutants if not changed.intersection(mutant.files())]
        mutants = [mutant for mutant in mutants if changed.intersection(mutant.files())]
    if arguments.most is not None:
        mutants = spread(mutants, arguments.most)
        if arguments.fill:
            mutants += spread(others, max(0, arguments.most - sum(map(is_to_run, mutants))))
    if arguments.shard:
        part, parts = map(int, arguments.shard.split("/"))
        mutants = mutants[part::parts]
    return mutants


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--changed-since")
    parser.add_argument("--generated", action="store_true")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2))
    parser.add_argument("--most", type=int)
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--shard")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    mutants = chosen(arguments)
    # Of an argument, too, nothing is known any more where the source has moved on.
    argued = [mutant for mutant in mutants if mutant.equivalent and not isinstance(mutant.change, OutOfDate)]
    mutants = [mutant for mutant in mutants if mutant not in argued]
    if arguments.list:
        print(*mutants, *argued, sep="\n")
        return
    trees = queue.Queue()
    if mutants:
        wanted = sorted({test for mutant in mutants for test in mutant.tests})
        for number in range(min(arguments.jobs, len(mutants))):
            tree = Tree(number)
            tree.prepare(wanted)
            if number == 0:
                with contextlib.suppress(Skipped):
                    failing = tree.notices(wanted)
                    if failing:
                        sys.exit(f"{failing} fails without any mutant")
            trees.put(tree)

    def try_out(mutant):
        tree = trees.get()
        began = time.monotonic()
        try:
            return mutant, *tree.try_out(mutant), time.monotonic() - began
        finally:
            trees.put(tree)

    rows = []
    with concurrent.futures.ThreadPoolExecutor(max(1, trees.qsize())) as pool:
        for mutant, fate, by, seconds in pool.map(try_out, mutants):
            rows.append((mutant, fate, by))
            print(f"{fate:11} {mutant}  ({by}; {seconds:.0f} s)", flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    with open(OUT / "table.md", "w", encoding="utf-8") as table:
        table.write("| mutant | fate | by |\n| --- | --- | --- |\n")
        for mutant, fate, by in rows:
            table.write(f"| {mutant} | {fate} | {by} |\n")
        for mutant in argued:
            table.write(f"| {mutant} | equivalent | {mutant.equivalent} |\n")
    # What a tool makes need not compile; what was written by hand must.
    untried = [row for row in rows if row[1] == "not tried"]
    bad = [row for row in rows if row[1] not in ("dead", "unbuildable", "not tried")
           or row[1] == "unbuildable" and not isinstance(row[0].change, str)]
    for mutant, fate, by in bad:
        print(f"not ok: {fate}: {mutant} (tried: {by})")
    print(f"mutants: {len(argued)} are argued to be equivalent; the table is {OUT}/table.md")
    for mutant, _, reason in untried:
        print(f"not tried: {mutant}: {reason}")
    print(f"{len(rows) - len(bad) - len(untried)} passed, {len(bad)} failed, {len(untried)} skipped")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
