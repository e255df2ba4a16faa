#!/usr/bin/env python3
"""Whether the table in adapters/wasmtime/README.md is true: it has every function that Wasmtime asks a custom platform
for, once, and no other; and the test that it names for a function is there and calls it, itself or by tests/support.
"""

import argparse
import pathlib
import re
import sys

from platform_functions import asked_for

README = pathlib.Path("adapters/wasmtime/README.md")
TESTS = pathlib.Path(__file__).with_name("tests")


def rows():
    """Each function of the table with the tests of its row."""
    for line in README.read_text().splitlines():
        cells = [re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and any(name.startswith("wasmtime_") for name in cells[0]):
            yield from ((name, cells[2]) for name in cells[0])


def problem_with(name, tests):
    """What is wrong with a row, None if nothing is."""
    if not tests:
        return "no test is named"
    support = (TESTS / "support/platform.c").read_text()
    for test in tests:
        source = TESTS / "platform" / f"{test}.c"
        if not source.exists():
            return f"there is no test {test}"
        if not re.search(rf"\b{name}\(", source.read_text() + support):
            return f"{test} does not call it"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cargo", required=True)
    wanted = asked_for(parser.parse_args().cargo)
    table = list(rows())
    listed = [name for name, _ in table]
    problems = [f"{name} is not in the table" for name in sorted(wanted - set(listed))]
    problems += [f"{name} is in the table, and nobody asks for it" for name in sorted(set(listed) - wanted)]
    problems += [f"{name} is in the table twice" for name in sorted(set(listed)) if listed.count(name) > 1]
    problems += [f"{name}: {problem}" for name, tests in table if (problem := problem_with(name, tests))]
    for problem in problems:
        print(f"{README}: {problem}")
    print(f"{len(listed)} passed, {len(problems)} failed")
    return 1 if problems or not listed else 0


if __name__ == "__main__":
    sys.exit(main())
