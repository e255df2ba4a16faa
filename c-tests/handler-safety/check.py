"""Proves on the built library that its signal handler can only reach code that is safe there.

    check.py [--allowed allowed.toml] [--header wasmtrap.h] [--tools PREFIX] [--forbid-panics] [--root PATH]... LIBRARY

The walk begins at every function whose path has one of the roots in it (the signal handler's, and those given), and at
every function that the header calls signal-safe.
It follows calls, tail calls, jumps, switches and calls through the global offset table, and fails unless everything
that it meets is on the list of allowed.toml, where each entry has its reason. So allocators, locks, panics, formatters
and lazily allocated thread-locals cannot come in unseen; they are named in the report for what they are.

A library without symbols, without a root, or with lazy binding (the first call of each function would enter the dynamic
linker, which takes locks) fails too. The walk overstates: a call counts even if no input can lead to it.
"""

import argparse
import collections
import pathlib
import re
import sys
import tomllib

import elf
import pe
from callgraph import CallGraph

ROOT = "inside::signals::entry::"
HERE = pathlib.Path(__file__).resolve().parent

# Only to say in the report what was met; being on none of these lists allows nothing.
WHAT_IT_IS = [
    ("a panic", r"core::panicking|rust_begin_unwind|core::\w+::(unwrap|expect)_failed|slice_\w+_fail"),
    ("a formatter", r"core::fmt|alloc::fmt|printf|^puts$|^fputs$|strerror"),
    ("the allocator", r"^(m|c|re)alloc$|^free$|^aligned_alloc$|^posix_memalign$|__rust_\w*alloc|alloc::|drop_in_place"),
    ("a lock", r"pthread_(mutex|rwlock|cond|once|spin)|^sem_|^futex|call_once|OnceLock|Mutex|RwLock|outside::lock"),
    ("a lazily allocated thread-local", r"__tls_get_addr|tlsdesc|pthread_[gs]etspecific"),
]


class Allowed:
    """allowed.toml, read. Each entry counts how often it was used, so that a stale one shows."""

    KINDS = {"function": "name", "external": "name", "indirect": "in", "system-call": "in", "address": "name",
             "recursion": "in", "stop": "in", "leave": "name"}

    def __init__(self, path, machine):
        with open(path, "rb") as file:
            entries = tomllib.load(file)
        self.own = [_pattern(name) for name in entries.pop("own")]
        self.machine = machine
        self.used = collections.Counter()
        self.entries = {kind: [] for kind in self.KINDS}
        for kind, listed in entries.items():
            for entry in listed:
                if kind not in self.KINDS:
                    raise ValueError(f"{path}: [[{kind}]] is none of {', '.join(self.KINDS)}")
                if self.KINDS[kind] not in entry or not entry.get("reason"):
                    raise ValueError(f"{path}: [[{kind}]] {entry}: wants '{self.KINDS[kind]}' and 'reason'")
                if entry.get("only", machine) == machine:
                    entry["pattern"] = _pattern(entry[self.KINDS[kind]])
                    self.entries[kind].append(entry)

    def find(self, kind, names, condition=lambda entry: True):
        """The entry for a function by any of its names, or None."""
        for number, entry in enumerate(self.entries[kind]):
            if any(entry["pattern"].fullmatch(name) for name in names) and condition(entry):
                self.used[kind, number] += 1
                return entry
        return None

    def is_own(self, names):
        return any(pattern.fullmatch(name) for pattern in self.own for name in names)

    def unused(self):
        for kind, entries in self.entries.items():
            for number, entry in enumerate(entries):
                if not self.used[kind, number]:
                    yield kind, entry[self.KINDS[kind]]


def _pattern(text):
    """`*` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")))


def signal_safe_functions(header):
    """The functions of a C header whose comment says signal-safe, and does not say not signal-safe."""
    text = pathlib.Path(header).read_text(encoding="utf-8")
    found = set()
    for comment, declaration in re.findall(r"((?:^//.*\n)+)(^[^/#\s][^;{}]*\([^;{}]*;)", text, re.MULTILINE):
        words = " ".join(comment.replace("//", " ").split()).lower()
        claims = re.findall(r"(not )?signal-safe", words)
        name = re.search(r"\b(wasmtrap_\w+)\s*\((?!\*)", declaration)
        if name and claims and not any(claims):
            found.add(name[1])
    return found


class Check:
    def __init__(self, library, allowed, tools, signal_safe=frozenset(), more_roots=()):
        wanted = [ROOT, *more_roots]
        self.subject = library
        self.allowed = allowed
        self.graph = CallGraph(library, tools)
        self.violations = []  # (rule, sentence)
        self.signal_safe = signal_safe
        self.roots = [function for function in self.graph.code.functions
                      if any(name in signal_safe or any(root in name for root in wanted) for name in function.names)]
        self.wanted = wanted
        self.reached = self.graph.walk(self.roots, leaves=lambda callee: allowed.find("leave", callee.names))

    def run(self):
        for wanted in self.wanted:
            if not any(wanted in name for root in self.roots for name in root.names):
                self._violation("roots", f"no function has {wanted} in its path: stripped, or renamed?")
        for name in sorted(self.signal_safe - {name for root in self.roots for name in root.names}):
            self._violation("roots", f"the header calls {name} signal-safe, and the library does not have it")
        if not self.subject.binds_now:
            self._violation("lazy-binding", "the library binds functions at their first call, in the dynamic linker")
        for function in self.reached:
            self._check_function(function)
        self._check_recursion()
        return not self.violations

    def _check_function(self, function):
        allowed, names, summary = self.allowed, function.names, self.graph.summaries[function]
        if not (allowed.is_own(names) or function in self.roots or allowed.find("function", names)):
            self._reached_violation("function", function, f"is not on the list{what_it_is(function.name)}")
        for name, address in {**summary.external_taken, **summary.external_calls}.items():
            if not allowed.find("external", [name]):
                self._reached_violation("external", function, f"uses {name}{what_it_is(name)}", address)
        for taken, address in summary.taken.items():
            if taken not in self.reached and not allowed.find("address", taken.names):
                self._reached_violation("address", function, f"takes the address of {taken.name}", address)
        if summary.indirect:
            entry = allowed.find("indirect", names)
            if entry is None or len(summary.indirect) > entry.get("count", 1):
                for address in summary.indirect:
                    self._reached_violation("indirect", function, "calls or jumps to an unknown address", address)
        for number, address in summary.system_calls:
            if not allowed.find("system-call", names, lambda entry: number == entry["number"][self.subject.machine]):
                what = "a system call whose number is not known here" if number is None else f"system call {number}"
                self._reached_violation("system-call", function, f"makes {what}", address)
        if summary.stops and not allowed.find("stop", names):
            self._reached_violation("stop", function, "has an instruction that ends the process", summary.stops[0])
        for address in summary.lazy_tls[:1]:
            self._reached_violation("lazy-tls", function, "uses a lazily allocated thread-local", address)
        for address in summary.spins:
            self._reached_violation("spin", function, "waits in a loop (a spin hint)", address)
        for what, address in summary.unknown:
            self._reached_violation("unknown", function, f"is not understood: {what}", address)

    def _check_recursion(self):
        """A signal stack is small: the depth of calls must have a bound."""
        for component in _components(self.reached, lambda function: self.graph.summaries[function].calls):
            grows = any(self.graph.summaries[function].deeper & set(component) for function in component)
            all_names = [name for function in component for name in function.names]
            if grows and not self.allowed.find("recursion", all_names):
                names = " and ".join(sorted(function.name for function in component))
                self._violation("recursion", f"{names}: recursive")

    def _violation(self, rule, sentence):
        self.violations.append((rule, sentence))

    def _reached_violation(self, rule, function, sentence, address=None):
        place = f" (at {address:#x})" if address is not None else ""
        way = []
        while function is not None:
            way.append(function.name)
            function = self.reached[function]
        reached_by = "".join(f"\n      reached from {name}" for name in way[1:])
        self._violation(rule, f"{way[0]}{place} {sentence}{reached_by}")

    def report(self, out):
        print(f"{self.subject.path}: {self.subject.machine}, {len(self.graph.code.functions)} functions", file=out)
        print(f"The handler and the signal-safe functions reach these {len(self.reached)}:", file=out)
        for function in sorted(self.reached, key=lambda function: function.name):
            mark = "root" if function in self.roots else "own" if self.allowed.is_own(function.names) else "listed"
            print(f"  {mark:6} {function.name}", file=out)
        print("Allowed, each with its reason:", file=out)
        for kind, entries in self.allowed.entries.items():
            for number, entry in enumerate(entries):
                if uses := self.allowed.used[kind, number]:
                    name = entry[Allowed.KINDS[kind]]
                    number = f" {entry['number'][self.subject.machine]}" if "number" in entry else ""
                    print(f"  {kind}{number} {name} ({uses}x): {entry['reason']}", file=out)
        for kind, name in self.allowed.unused():
            print(f"Not met here, so the entry may be out of date: {kind} {name}", file=out)


def what_it_is(name):
    for what, pattern in WHAT_IT_IS:
        if re.search(pattern, name):
            return f": {what}"
    return ""


def _components(nodes, successors):
    """The strongly connected components of a graph (Tarjan's, without recursion)."""
    order, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in nodes:
        if root in order:
            continue
        work = [(root, iter(list(successors(root))))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for successor in following:
                if successor not in order:
                    order[successor] = low[successor] = len(order)
                    stack.append(successor)
                    on_stack.add(successor)
                    work.append((successor, iter(list(successors(successor)))))
                    break
                if successor in on_stack:
                    low[node] = min(low[node], order[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    component = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member is node:
                            break
                    found.append(component)
    return found


def panics_reachable(graph):
    """Panic functions that the library can enter from outside, each with the way to it.

    Pointers to functions count as calls, wherever they are: in the code, or in tables that the dynamic linker fills in;
    the latter only where the linker has left unused ones out.
    """
    panics = re.compile(r"core::panicking|rust_begin_unwind")
    exported = [function for function in graph.code.functions
                if any(name.startswith("wasmtrap_") for name in function.names)]
    # The global offset table is not one of them: the code names its entries one by one.
    tables = [graph.code.function_at(slot.address) for place, slot in graph.subject.slots.items()
              if slot.address and not graph.subject.section_at(place).name.startswith(".got")]
    # GNU ld throws nothing away of what a DLL is linked of: all tables of core and alloc are in it, used or not.
    if not graph.subject.has_only_what_is_used:
        tables = []
    reached = graph.walk([*exported, *filter(None, tables)], pointers=True)
    ways = []
    for function, caller in reached.items():
        # Only where the way enters the panic machinery, not every function in it.
        if panics.search(function.name) and not (caller and panics.search(caller.name)):
            way = []
            while function is not None:
                way.append(function.name)
                function = reached[function]
            ways.append(way[::-1])
    return ways


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--allowed", default=HERE / "allowed.toml")
    parser.add_argument("--header", help="functions that it calls signal-safe are walked from too")
    parser.add_argument("--tools", default="", help="what the names of objdump and c++filt begin with")
    parser.add_argument("--forbid-panics", action="store_true", help="fail if any function can reach a panic")
    parser.add_argument("--root", action="append", default=[], help="part of a path to walk from as well")
    parser.add_argument("binary")
    arguments = parser.parse_args()

    library = (pe if pe.is_pe(arguments.binary) else elf).Library(arguments.binary)
    signal_safe = signal_safe_functions(arguments.header) if arguments.header else frozenset()
    check = Check(library, Allowed(arguments.allowed, library.machine), arguments.tools, signal_safe, arguments.root)
    check.run()
    check.report(sys.stdout)

    ways = panics_reachable(check.graph)
    for way in ways:
        print("A panic can be reached: " + "\n      calls ".join(way))
    if not ways:
        print("No panic can be reached from any exported function.")
    if arguments.forbid_panics:
        check.violations += [("panic", f"{way[0]} can reach {way[-1]}") for way in ways]

    for rule, sentence in check.violations:
        print(f"NOT SAFE [{rule}] {sentence}")
    print(f"{len(check.reached) if not check.violations else 0} passed, {len(check.violations)} failed")
    return 1 if check.violations else 0


if __name__ == "__main__":
    sys.exit(main())
