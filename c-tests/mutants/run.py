"""Breaks the library on purpose, and tells which breaks no test notices.

    run.py [--only PART]... [--changed-since REVISION] [--generated] [--jobs N] [--most N] [--list]

A mutant is a change of one place in the source. For each one the library is built, and the tests that can notice it run
until one fails: then the mutant is dead. Those that live are listed by file and line, and fail the run. The table of
all goes to target/mutants/table.md.

Mutants that were written by hand are in by-hand/*.toml, an entry each:

    [[mutant]]
    file = "src/inside/land.rs"
    says = "what is broken, in a sentence"
    before = "text that is there once"        # or twice: occurrence = 2 takes the second
    after = "what stands there instead"
    tests = ["rust:land", "c:traps/*"]         # cargo test's filter; programs of c-tests/capi; or make:TARGET
    equivalent = "why nothing can notice"      # instead of tests, for one that is listed and not run

With --generated, those that cargo-mutants finds come on top; where they are and what equivalent.toml says of them
decides what runs.
"""

import argparse
import concurrent.futures
import contextlib
import fnmatch
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import time
import tomllib

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path("target/mutants")
# Seconds: a build of the library, and a test program, which ends itself far sooner unless it hangs.
BUILD_LIMIT, TEST_LIMIT = 600, 120
# A library that is built in seconds. Nothing that the tests look at depends on the optimiser's level.
QUICK_BUILD = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
               "CARGO_PROFILE_RELEASE_INCREMENTAL": "true", "CARGO_PROFILE_RELEASE_DEBUG": "0"}


class Mutant:
    """A change of one file."""

    def __init__(self, name, file, line, says, change, tests, equivalent):
        self.name, self.file, self.line, self.says = name, file, line, says
        self.change, self.tests, self.equivalent = change, tests, equivalent

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


def written_by_hand():
    """The mutants of by-hand/*.toml. A place that is not there, or not once, is an error: the source has moved on."""
    for path in sorted((HERE / "by-hand").glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]:
            file, before, after = entry["file"], entry["before"], entry["after"]
            text = pathlib.Path(file).read_text(encoding="utf-8")
            occurrence = entry.get("occurrence", 1)
            at = place_of(text, before, occurrence)
            if at is None or ("occurrence" not in entry and text.count(before) != 1):
                sys.exit(f"{path}: {file} has {text.count(before)} places with {before!r}; the entry is out of date")
            if not entry.get("tests") and not entry.get("equivalent"):
                sys.exit(f"{path}: neither tests nor an argument: {entry['says']}")
            mutated = text[:at] + after + text[at + len(before):]
            yield Mutant(f"{path.stem}: {entry['says']}", file, text.count("\n", 0, at) + 1, entry["says"],
                         lambda tree, file=file, mutated=mutated: (tree / file).write_text(mutated, encoding="utf-8"),
                         entry.get("tests", []), entry.get("equivalent"))


def generated(files):
    """The mutants that cargo-mutants finds in these files, or everywhere."""
    config = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))
    arguments = [argument for file in files for argument in ("--file", file)]
    listing = subprocess.run(["cargo", "mutants", "--list", "--json", "--diff", *arguments], check=True,
                             capture_output=True, text=True).stdout
    for entry in json.loads(listing):
        file, name, diff = entry["file"], entry["name"], entry["diff"]
        if not any(fnmatch.fnmatch(file, pattern) for pattern in config["in"]):
            continue
        tests = next((tests for pattern, tests in config["tests"].items() if fnmatch.fnmatch(file, pattern)), ["rust:",
                                                                                                          "c:*"])
        equivalent = next((why for pattern, why in config["equivalent"].items() if fnmatch.fnmatch(name, pattern)),
                          None)

        def change(tree, diff=diff):
            subprocess.run(["patch", "-p0", "-s", "--no-backup-if-mismatch"], cwd=tree, input=diff, text=True,
                           check=True)

        line = entry.get("span", {}).get("start", {}).get("line", 0)
        yield Mutant(name, file, line, name.split(": ", 1)[-1], change, tests, equivalent)


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


class Tree:
    """A copy of the source, with tests built beside it once. One mutant at a time lives in it."""

    def __init__(self, number):
        self.path = OUT.absolute() / f"tree-{number}"
        files = set(subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], check=True,
                                   capture_output=True, text=True).stdout.splitlines())
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
        self.programs = []

    def build(self, goal=()):
        """Builds the library, and with `goal` something more. None, or what went wrong."""
        command = ["make", "-s", "SETUP=no", *(goal or ["target/release/libwasmtrap.so"])]
        status, output = run(command, self.path, BUILD_LIMIT, QUICK_BUILD.items())
        return None if status == 0 else output

    def prepare(self):
        """Builds the tests, once."""
        failure = self.build(["c-programs-shared"])
        if failure:
            sys.exit(f"the tests cannot be built:\n{failure[-3000:]}")
        folder = self.path / "target/c-tests/capi/shared"
        self.programs = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.t"))

    def commands(self, tests):
        """A name and a command for each test that is asked for."""
        for test in tests:
            kind, pattern = test.split(":", 1)
            if kind == "rust":
                yield f"cargo test {pattern}", ["cargo", "test", "-q", "--locked", "--lib", "--target-dir", "target",
                                                *([pattern] if pattern else [])]
            elif kind == "make":
                yield f"make {pattern}", ["make", "-s", "SETUP=no", pattern]
            else:
                found = [name for name in self.programs if fnmatch.fnmatch(name.removesuffix(".t"), pattern)]
                if not found:
                    sys.exit(f"no program is called {pattern}")
                for name in found:
                    yield name, [f"target/c-tests/capi/shared/{name}"]

    def notices(self, tests):
        """The first test that fails, or None."""
        for name, command in self.commands(tests):
            limit = TEST_LIMIT if command[0].startswith("target/") else BUILD_LIMIT
            if run(command, self.path, limit)[0] != 0:
                return name
        return None

    def try_out(self, mutant):
        """What came of a mutant: a word, and by what."""
        place = self.path / mutant.file
        original = place.read_bytes()
        try:
            mutant.change(self.path)
            if self.build():
                return "unbuildable", "the compiler"
            killer = self.notices(mutant.tests)
            return ("dead", killer) if killer else ("alive", ", ".join(mutant.tests))
        finally:
            place.write_bytes(original)


def chosen(arguments):
    """The mutants that are asked for, in the order of the files."""
    changed = None
    if arguments.changed_since:
        changed = set(subprocess.run(["git", "diff", "--name-only", arguments.changed_since, "--"], check=True,
                                     capture_output=True, text=True).stdout.split())
    mutants = list(written_by_hand())
    if arguments.generated:
        mutants += generated([part for part in arguments.only if part.endswith(".rs")])

    def wanted(mutant):
        return ((changed is None or mutant.file in changed)
                and (not arguments.only or any(part in mutant.file or part in mutant.name for part in arguments.only)))

    mutants = [mutant for mutant in mutants if wanted(mutant)]
    if arguments.most is not None and len(mutants) > arguments.most:
        # From all over the list, and the same ones each time.
        step = len(mutants) / arguments.most
        mutants = [mutants[int(index * step)] for index in range(arguments.most)]
    return mutants


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--changed-since")
    parser.add_argument("--generated", action="store_true")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2))
    parser.add_argument("--most", type=int)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    mutants = chosen(arguments)
    argued = [mutant for mutant in mutants if mutant.equivalent]
    mutants = [mutant for mutant in mutants if not mutant.equivalent]
    if arguments.list:
        print(*mutants, *argued, sep="\n")
        return
    trees = queue.Queue()
    if mutants:
        wanted = sorted({test for mutant in mutants for test in mutant.tests})
        for number in range(min(arguments.jobs, len(mutants))):
            tree = Tree(number)
            tree.prepare()
            if number == 0:
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
    bad = [row for row in rows if row[1] != "dead"]
    for mutant, fate, by in bad:
        print(f"not ok: {fate}: {mutant} (tried: {by})")
    print(f"mutants: {len(argued)} are argued to be equivalent; the table is {OUT}/table.md")
    print(f"{len(rows) - len(bad)} passed, {len(bad)} failed")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
