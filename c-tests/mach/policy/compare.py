"""Holds the library's table of the exception port policy against the simulated kernel's, cell by cell, and the README
against the library's: in TAP, with the sum at the end. README.md beside this says what the tables are.

    compare.py --library PROGRAM --kernel PROGRAM --readme FILE
"""

import argparse
import itertools
import pathlib
import subprocess
import sys

RELEASES = ("13", "14.0", "14.2", "14.4", "14.6", "15", "26")
BEHAVIORS = ("EXCEPTION_DEFAULT", "EXCEPTION_STATE", "EXCEPTION_STATE_IDENTITY", "EXCEPTION_IDENTITY_PROTECTED",
             "EXCEPTION_STATE_IDENTITY_PROTECTED")
PORTS = ("plain", "opted-out", "plain, swapped", "opted-out, swapped")
HOSTS = ("hardened", "ordinary")
ANSWERS = ("allowed", "telemetry", "fatal", "refused")
CELLS = tuple(itertools.product(RELEASES, BEHAVIORS, PORTS, HOSTS))


def read(text):
    """{cell: answer}, and what is wrong with the text itself.

    >>> read("13 | EXCEPTION_STATE | plain | hardened | allowed")[0]
    {('13', 'EXCEPTION_STATE', 'plain', 'hardened'): 'allowed'}
    >>> read("13 | EXCEPTION_STATE | plain | hardened | maybe")
    ({}, ['no cell: 13 | EXCEPTION_STATE | plain | hardened | maybe'])
    >>> read("12 | EXCEPTION_STATE | plain | hardened | fatal")[1]
    ['no cell: 12 | EXCEPTION_STATE | plain | hardened | fatal']
    >>> line = "13 | EXCEPTION_STATE | plain | hardened | allowed"
    >>> read(line + chr(10) + line)[1]
    ['twice: 13 | EXCEPTION_STATE | plain | hardened | allowed']
    """
    cells, wrong = {}, []
    for line in filter(None, text.splitlines()):
        *cell, answer = (part.strip() for part in line.split("|"))
        cell = tuple(cell)
        if cell not in CELLS or answer not in ANSWERS:
            wrong.append(f"no cell: {line}")
        elif cell in cells:
            wrong.append(f"twice: {line}")
        else:
            cells[cell] = answer
    return cells, wrong


def differences(library, kernel):
    """What is different, cell by cell; a cell that one of them lacks is different.

    >>> whole = {cell: "allowed" for cell in CELLS}
    >>> differences(whole, dict(whole))
    []
    >>> differences(whole, {**whole, ("14.4", "EXCEPTION_STATE", "plain", "hardened"): "fatal"})
    ['14.4 | EXCEPTION_STATE | plain | hardened: the library says allowed, the kernel fatal']
    >>> len(differences(whole, {}))
    280
    >>> len(differences({}, {}))
    280
    """
    return [f"{' | '.join(cell)}: the library says {library.get(cell)}, the kernel {kernel.get(cell)}"
            for cell in CELLS if cell not in library or library[cell] != kernel.get(cell)]


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", dest="policy", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--readme", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    library, wrong_in_library = read(output(arguments.policy))
    kernel, wrong_in_kernel = read(output(arguments.kernel, "--policy"))
    shown = arguments.readme.read_text(encoding="utf-8").splitlines()
    not_shown = [line for line in output(arguments.policy, "--readme").splitlines() if line not in shown]
    results = [
        ("the library's table has the form", wrong_in_library),
        ("the simulated kernel's table has the form", wrong_in_kernel),
        (f"the two tables agree in {len(CELLS)} cells", differences(library, kernel)),
        ("the README shows the library's table", not_shown),
    ]
    for number, (name, notes) in enumerate(results, 1):
        print(f"{'not ok' if notes else 'ok'} {number} - {name}")
        for note in notes:
            print(f"#   {note}")
    failed = sum(bool(notes) for _, notes in results)
    print(f"1..{len(results)}\n{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
