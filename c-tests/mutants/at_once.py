"""Tries the mutants that cargo-mutants makes, all of them in one build.

    at_once.py [--mach] [--only PART]... [--jobs N] [--slow SECONDS] [--longest SECONDS] [--without LOG]

`run.py --generated` builds the library anew for each mutant. Here a single library has all of those of the chosen files
in it, each behind a switch: `a < b` becomes `match mutant(7) { 7 => a <= b, 8 => a == b, _ => a < b }`, and
WASMTRAP_MUTANT says which one is on. The same switch tells which mutants a test reaches, so that a mutant is tried with
those tests alone, the quickest first, until one fails. It is some tenths of a second a mutant.

What cannot be behind a switch (constants, what the compiler refuses in that form) is listed as such: run.py's.
Tests that take longer than --slow are left out, and named at what is left alive: try them by hand, by WASMTRAP_MUTANT
and the number of the mutant (M7) in target/mutants/at-once. --without leaves out what an earlier log has as dead.

--mach takes the Mach backend's files instead, and tries them on the simulated Mach kernel, in
target/mutants/at-once-mach: with unit tests, the programs of c-tests/mach-backend, in one host profile or two each, and
those of c-tests/capi. An hour with --slow 2.

Needs `pip install tree-sitter tree-sitter-rust`, and cargo-mutants on the path.
"""

import argparse
import collections
import concurrent.futures
import json
import mmap
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import tree_sitter
import tree_sitter_rust

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "mach"), str(HERE.parent / "mach-backend")]
import run  # pylint: disable=wrong-import-position
import run_in_profiles  # pylint: disable=wrong-import-position

# The switch, in the library. Bytes of a file that is mapped shared tell which mutants are reached, from forked children
# and from handlers as well.
SWITCH = """
/// Which mutant is on; and that this place, where those from `first` on are, is reached.
#[inline(never)]
pub(crate) fn mutant(first: usize) -> usize {
    unsafe {
        let reached = core::ptr::read_volatile(&raw const MUTANTS_REACHED);
        if !reached.is_null() {
            core::ptr::write_volatile(reached.add(first), 1);
        }
        core::ptr::read_volatile(&raw const MUTANT)
    }
}
static mut MUTANT: usize = 0;
static mut MUTANTS_REACHED: *mut u8 = core::ptr::null_mut();
extern "C" fn find_mutant() {
    unsafe {
        let name = libc::getenv(c"WASMTRAP_MUTANT".as_ptr());
        if !name.is_null() {
            core::ptr::write_volatile(&raw mut MUTANT, libc::atoi(name) as usize);
        }
        let name = libc::getenv(c"WASMTRAP_MUTANTS_REACHED".as_ptr());
        if !name.is_null() {
            let file = libc::open(name, libc::O_RDWR | libc::O_CLOEXEC);
            let map = libc::mmap(core::ptr::null_mut(), 65536, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED,
                file, 0);
            libc::close(file);
            if map != libc::MAP_FAILED {
                core::ptr::write_volatile(&raw mut MUTANTS_REACHED, map.cast());
            }
        }
    }
}
#[used]
#[unsafe(link_section = ".init_array.00001")]
static FIND_MUTANT: extern "C" fn() = find_mutant;
"""
MOST = 65536
STANDALONE = ("interposed_sigaction", "an_adopted_engine_is_closed", "loaded_by_dlopen")
# Those that are run again with a library that has traps leave their handlers by a jump.
BY_JUMP = "leaving/a_s*"
# It has two copies of the library in it, and one of them is the archive: both have the mutant.
TWO_COPIES = run.PROGRAMS.replace("/shared", "/static") + "/standalone/linked_into_a_plugin"
LANGUAGE = tree_sitter.Language(tree_sitter_rust.language())
# Where the compiler says that a file is: it may be another folder's crate.
UP = re.compile(r"^(\.\./)*")
# The host profiles that programs of c-tests/mach-backend are tried in, or else in their first one: two behaviors.
PROFILES = ("ordinary", "apple-python-15")


class CannotSwitch(Exception):
    """No expression that is evaluated when the library runs."""


def listing(tree):
    """What cargo-mutants finds in a tree."""
    text = subprocess.run(["cargo", "mutants", "--list", "--json"], cwd=tree, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout
    return json.loads(text)


class File:
    """A file of the source, with switches where its mutants are."""

    def __init__(self, path, text, entries):
        self.path, self.text = path, text.encode()
        self.lines = [0]
        for line in self.text.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.root = tree_sitter.Parser(LANGUAGE).parse(self.text).root_node
        self.edits = collections.defaultdict(list)
        self.refused = {}
        for entry in entries:
            try:
                self.place(entry)
            except CannotSwitch as why:
                self.refused[entry["id"]] = str(why)

    def offset(self, place):
        """Where a line and a column are. cargo-mutants counts characters."""
        begin = self.lines[place["line"] - 1]
        line = self.text[begin:self.lines[place["line"]]].decode()
        return begin + len(line[:place["column"] - 1].encode())

    def place(self, entry):
        """Notes the node that a mutant changes."""
        begin, end = (self.offset(entry["span"][which]) for which in ("start", "end"))
        node = self.root.descendant_for_byte_range(begin, end - 1 if end > begin else end)
        genre = entry["genre"]
        if genre in ("BinaryOperator", "UnaryOperator"):
            wanted = ("binary_expression", "compound_assignment_expr", "unary_expression")
            while node and node.type not in wanted:
                node = node.parent
        elif genre == "MatchArm":
            while node and not (node.type == "match_arm" and node.start_byte == begin):
                node = node.parent
        elif genre == "StructField":
            while node and node.type not in ("field_initializer", "shorthand_field_initializer"):
                node = node.parent
        elif genre == "MatchArmGuard":
            while node and not (node.start_byte == begin and node.end_byte == end):
                node = node.parent
        elif genre == "FnValue":
            while node and node.type != "function_item":
                node = node.parent
        if node is None:
            raise CannotSwitch("no node")
        up = node
        while up:
            if up.type in ("const_item", "static_item", "const_block", "array_type", "enum_variant", "macro_invocation",
                           "type_arguments"):
                raise CannotSwitch(f"in a {up.type}")
            if up.parent and up.parent.type == "array_expression" and up == up.parent.child_by_field_name("length"):
                raise CannotSwitch("in the length of an array")
            if up.type == "function_item":
                modifiers = next((child for child in up.children if child.type == "function_modifiers"), None)
                if modifiers and b"const" in modifiers.text.split():
                    raise CannotSwitch("in a const fn")
                break
            up = up.parent
        for child in node.children if genre == "BinaryOperator" else []:
            if child.type in ("let_condition", "let_chain"):
                raise CannotSwitch("in a let chain")
        self.edits[node.id].append((genre, entry))

    def render(self, node, dropped):
        """The text of a node, with the switches in it."""
        text = self.inner(node, dropped)
        edits = [(genre, entry) for genre, entry in self.edits.get(node.id, []) if entry["id"] not in dropped]
        if not edits:
            return text
        first = min(entry["id"] for _, entry in edits)
        genre = edits[0][0]
        part = {name: node.child_by_field_name(name) for name in
                ("left", "operator", "right", "body", "pattern", "field", "name", "value")}
        original = {name: child.text.decode() for name, child in part.items() if child}

        def arms(of):
            return "".join(f"\n{entry['id']} => {of(entry)}, /*M{entry['id']}M*/" for _, entry in edits)

        if genre == "BinaryOperator":
            changed = arms(lambda entry: f"{{ {original['left']} {entry['replacement']} {original['right']} }}")
            return f"(match crate::mutant({first}) {{{changed}\n_ => {{ {text} }}\n}})"
        if genre == "UnaryOperator":
            changed = arms(lambda entry: f"{{ {node.children[-1].text.decode()} }}")
            return f"(match crate::mutant({first}) {{{changed}\n_ => {{ {text} }}\n}})"
        if genre == "MatchArmGuard":
            changed = arms(lambda entry: entry["replacement"])
            return f"(match crate::mutant({first}) {{{changed}\n_ => {{ {text} }}\n}})"
        if genre == "StructField":
            base = next((child for child in node.parent.children if child.type == "base_field_initializer"), None)
            name = node.children[0].text.decode()
            value = original.get("value", name)
            if base is None:
                return text
            changed = arms(lambda entry: f"({base.text.decode().lstrip('.')}).{name}")
            return f"{name}: (match crate::mutant({first}) {{{changed}\n_ => {value}\n}})"
        if genre == "MatchArm":
            pattern = part["pattern"]
            condition = pattern.child_by_field_name("condition")
            end = condition.start_byte if condition else pattern.end_byte
            head = self.text[pattern.start_byte:end].decode()
            marks = "".join(f"\n/*M{entry['id']}M*/" for _, entry in edits)
            if condition:
                rest = self.render(condition, dropped)
                if condition.type in ("let_condition", "let_chain"):
                    rest = f"crate::mutant({first}) != {first} && {rest}"
                else:
                    rest = f"crate::mutant({first}) != {first} && ({rest})"
            else:
                head, rest = f"{head} if ", f"crate::mutant({first}) != {first}"
            begin = self.inner_between(node, node.start_byte, pattern.start_byte, dropped)
            tail = self.inner_between(node, pattern.end_byte, node.end_byte, dropped)
            return f"{begin}{head}{rest}{marks}\n{tail}"
        if genre == "FnValue":
            body = part["body"]
            head = self.text[node.start_byte:body.start_byte].decode()
            returns = "".join(f"\nif crate::mutant({first}) == {entry['id']} {{ return {entry['replacement']}; }} "
                              f"/*M{entry['id']}M*/" for _, entry in edits)
            return f"{head}{{{returns}\n{self.inner(body, dropped)[1:]}"
        raise AssertionError(genre)

    def inner_between(self, node, begin, end, dropped):
        """A part of a node, of whole children."""
        text, at = "", begin
        for child in node.children:
            if child.start_byte < begin or child.end_byte > end:
                continue
            text += self.text[at:child.start_byte].decode() + self.render(child, dropped)
            at = child.end_byte
        return text + self.text[at:end].decode()

    def inner(self, node, dropped):
        """A node's text, its children rendered."""
        if not node.children:
            return node.text.decode()
        return self.inner_between(node, node.start_byte, node.end_byte, dropped)

    def rendered(self, dropped):
        """The whole file."""
        return self.text[:self.root.start_byte].decode() + self.inner(self.root, dropped) \
            + self.text[self.root.end_byte:].decode()


def write(path, text):
    """Writes a file if it has another text."""
    if path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def compiled(tree, files, system):
    """Takes out what the compiler refuses, until all of it compiles. What was taken out, and why."""
    dropped = {}
    while True:
        for file in files:
            write(tree / file.path, file.rendered(dropped))
        before = len(dropped)
        for profile in (system.checked, ["--target-dir", "target", "--profile", "test"]):
            output = subprocess.run(["cargo", "check", "-q", "--locked", "--lib", *profile, "--message-format=json"],
                                    cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
            others = []
            for line in output.stdout.splitlines():
                message = json.loads(line).get("message") or {}
                if message.get("level") != "error":
                    continue
                found = False
                for span in message["spans"]:
                    lines = (tree / UP.sub("", span["file_name"])).read_text(encoding="utf-8").splitlines()
                    for number in range(span["line_start"] - 1, min(span["line_end"], span["line_start"] + 3)):
                        for mark in re.findall(r"/\*M(\d+)M\*/", lines[number]):
                            dropped.setdefault(int(mark), message["message"])
                            found = True
                if not found:
                    others.append(message["rendered"])
            if len(dropped) > before:
                break
            if output.returncode:
                sys.exit("cannot tell which mutant this is:\n" + "\n".join(others))
        else:
            return dropped
        print(f"compiling: {len(dropped)} taken out", flush=True)


class Test:
    """A program, or the unit tests of a module."""

    def __init__(self, name, command):
        self.name, self.command, self.seconds, self.reached = name, command, 0.0, set()
        # How often it has noticed something, by the file of the mutant.
        self.kills = collections.Counter()

    def result(self, tree, mutant, limit, reached=None, before=()):
        """How it ends with a mutant on, and what it says. `before` comes before the command."""
        environment = {"WASMTRAP_MUTANT": str(mutant)}
        if reached:
            environment["WASMTRAP_MUTANTS_REACHED"] = reached
        return run.run([*before, *self.command], tree, limit, environment.items())


class KernelTest(Test):
    """A program in the simulated Mach kernel, good if run_in_profiles.py would say so."""

    def __init__(self, name, kernel, profile, program):
        super().__init__(f"{name}@{profile}", [str(program)])
        self.kernel = [kernel, f"--profile={profile}", "--like-a-mac"]

    def result(self, tree, mutant, limit, reached=None, before=()):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder, "report")
            # Each exception comes to a port there (c-tests/capi/support/host.h).
            before = [*before, "env", "EXCEPTION_PORTS=all", *self.kernel, f"--report={report}", "--"]
            status, output = super().result(tree, mutant, limit, reached, before)
            outcome = run_in_profiles.Outcome(output, status)
            run_in_profiles.read_report(report, outcome)
            return status or int(outcome.failed > 0), output + "\n".join(outcome.complaints)


def unit_tests(tree):
    """Those of each module."""
    build = subprocess.run(["cargo", "test", "-q", "--locked", "--lib", "--no-run", "--target-dir", "target",
                            "--message-format=json"], cwd=tree, stdout=subprocess.PIPE, text=True, check=True)
    binary = next(message["executable"] for message in map(json.loads, build.stdout.splitlines())
                  if message.get("executable"))
    names = subprocess.run([binary, "--list", "--format=terse"], cwd=tree, stdout=subprocess.PIPE, text=True,
                           check=True).stdout
    modules = sorted({name.rsplit("::", 1)[0] for name in re.findall(r"^(\S+): test$", names, re.M)})
    for module in modules:
        yield Test(f"rust:{module}", [binary, "-q", "--test-threads=2", f"{module}::"])


class Linux:
    """The library as it is here."""

    tree, part = "target/mutants/at-once", None
    checked = ["--target-dir", "target"]
    goals = ["c-programs-shared", run.BY_JUMP, f"{TWO_COPIES}.t",
             *(f"{run.PROGRAMS}/standalone/{name}.t" for name in STANDALONE)]
    environment = {**run.QUICK_BUILD, "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1"}

    @staticmethod
    def programs(tree):
        """What is run."""
        folder = tree / run.PROGRAMS
        for program in sorted(folder.rglob("*.t")):
            yield Test(str(program.relative_to(folder).with_suffix("")), [str(program)])
        for program in sorted(folder.glob(f"{BY_JUMP}.t")):
            yield Test(f"jump:{program.relative_to(folder).with_suffix('')}",
                       ["env", f"LD_PRELOAD={tree / run.BY_JUMP}", str(program)])
        yield Test(f"static:{pathlib.Path(TWO_COPIES).name}", [str(tree / f"{TWO_COPIES}.t")])


class Mach:
    """The library with the Mach backend, on the simulated kernel."""

    tree, part = "target/mutants/at-once-mach", "mach"
    checked = ["--target-dir", "target/mach/wasmtrap", "--manifest-path", "c-tests/mach/wasmtrap/Cargo.toml"]
    goals = ["mach-kernel", "mach-backend-programs", "mach-c-programs"]
    # One object file, so that the switch comes from the archive with what asks it.
    environment = {**Linux.environment, "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "1",
                   "CARGO_PROFILE_RELEASE_INCREMENTAL": "false"}

    @staticmethod
    def programs(tree):
        """What is run."""
        kernel = str(tree / "target/mach/cargo/release/simulated-xnu")
        jobs = subprocess.run(["make", "-n", "SETUP=no", "check-mach-backend"], cwd=tree, stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        for profiles, program, name in re.findall(r"(?<=\s)([a-z0-9.,-]+):(target/mach/backend/(\S+)\.t)", jobs):
            profiles = profiles.split(",")
            for profile in [profile for profile in PROFILES if profile in profiles] or profiles[:1]:
                yield KernelTest(name, kernel, profile, tree / program)
        folder = tree / "target/mach/c-tests/capi/shared"
        for program in sorted(folder.rglob("*.t")):
            yield KernelTest(f"capi:{program.relative_to(folder).with_suffix('')}", kernel, "ordinary", program)


def fate_of(file, number, tests, tree, slow):
    """What comes of a mutant: a word, and by what."""
    if not tests:
        return "unreached", "by no test"
    # A test that has noticed something in this file before is worth more than a quick one.
    tests.sort(key=lambda test: (test.seconds + 0.02) / (1 + test.kills[file]))
    left_out = []
    for test in tests:
        if test.seconds > slow:
            left_out.append(test.name)
            continue
        # A loop is told by the time of the processor that it takes, however busy that is.
        before = [] if test.seconds > 0.3 else ["prlimit", "--cpu=1"]
        status, _ = test.result(tree, number, max(5, 25 * test.seconds), before=before)
        if status:
            test.kills[file] += 1
            return "dead", test.name + (", did not end" if status == 124 else "")
    return "alive", f"{len(tests)} reach it" + (f", not tried: {', '.join(left_out)}" if left_out else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mach", action="store_const", const=Mach, default=Linux, dest="system")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--without", help="log whose mutants are not tried again")
    parser.add_argument("--slow", type=float, default=1e9, help="leave out tests that take longer (seconds)")
    parser.add_argument("--longest", type=float, default=100, help="and those that do not end by then")
    arguments = parser.parse_args()
    system = arguments.system
    tree = pathlib.Path(system.tree).absolute()
    plain = run.OUT.absolute() / "listing"
    run.as_compiled_here(plain)
    mutants = [mutant for mutant in run.generated(arguments.only, system.part) if isinstance(mutant.change, str)]
    known = {mutant.name: mutant for mutant in mutants}
    entries = [entry for entry in listing(plain) if entry["name"] in known]
    for number, entry in enumerate(entries, 1):
        entry["id"] = number
    files = []
    for path in sorted({entry["file"] for entry in entries}):
        files.append(File(path, (plain / path).read_text(encoding="utf-8"),
                          [entry for entry in entries if entry["file"] == path]))
    switched = {file.path for file in files} | {"src/lib.rs"}
    for name in run.sources():
        source, copy = pathlib.Path(name), tree / name
        if not source.is_file() or name in switched and copy.exists():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            shutil.copy(source, copy)
    shutil.copytree("target/setup", tree / "target/setup", dirs_exist_ok=True)
    lib = pathlib.Path("src/lib.rs").read_text(encoding="utf-8")
    write(tree / "src/lib.rs", lib.replace("\npub use shared::abi;", SWITCH + "\npub use shared::abi;", 1))
    refused = {number: why for file in files for number, why in file.refused.items()}
    dropped = compiled(tree, files, system)
    print(f"{len(entries)} mutants, {len(refused)} without a switch, {len(dropped)} refused by the compiler",
          flush=True)
    began = time.monotonic()
    subprocess.run(["make", "-s", "-j2", "SETUP=no", *system.goals], cwd=tree, check=True,
                   env={**os.environ, **system.environment})
    tests = [*unit_tests(tree), *system.programs(tree)]
    print(f"built in {time.monotonic() - began:.0f} s; {len(tests)} tests", flush=True)
    first = {}
    for file in files:
        for edits in file.edits.values():
            ids = [entry["id"] for _, entry in edits if entry["id"] not in dropped]
            for number in ids:
                first[number] = min(ids)
    reached = tree / "target/reached"
    usable = []
    for test in tests:
        reached.write_bytes(bytes(MOST))
        began = time.monotonic()
        status, output = test.result(tree, 0, arguments.longest, str(reached))
        test.seconds = time.monotonic() - began
        if status:
            print(f"fails without any mutant: {test.name}: {output[-300:]}", flush=True)
            continue
        with open(reached, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as bits:
            test.reached = {number for number, at in first.items() if bits[at]}
        if test.seconds > arguments.slow:
            print(f"slow: {test.name}: {test.seconds:.1f} s", flush=True)
        usable.append(test)
    print(f"{sum(test.seconds for test in usable):.0f} s without mutants, {len(usable)} tests", flush=True)
    skip = set()
    if arguments.without:
        log = pathlib.Path(arguments.without).read_text(encoding="utf-8")
        skip = set(re.findall(r"^(?:dead|unbuildable|no switch) +(src/\S+: .*?)  \(", log, re.M))
    # In the order in which they were asked for.
    entries.sort(key=lambda entry: next((number for number, part in enumerate(arguments.only)
                                         if part in entry["file"]), 0))

    def try_out(entry):
        mutant, number = known[entry["name"]], entry["id"]
        began = time.monotonic()
        if mutant.equivalent:
            fate, by = "equivalent", mutant.equivalent
        elif number in refused:
            fate, by = "no switch", refused[number]
        elif number in dropped:
            fate, by = "unbuildable", dropped[number]
        else:
            fate, by = fate_of(mutant.file, number, [test for test in usable if number in test.reached], tree,
                               arguments.slow)
        return f"{fate:11} {mutant}  ({by}; {time.monotonic() - began:.1f} s; M{number})"

    wanted = [entry for entry in entries if str(known[entry["name"]]) not in skip]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for line in pool.map(try_out, wanted):
            print(line, flush=True)


if __name__ == "__main__":
    main()
