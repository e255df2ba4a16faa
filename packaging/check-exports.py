"""Checks that a shared library exports exactly the functions that its header declares, and nothing else.

    check-exports.py [--cc CC] [--nm NM] [--mach-o] HEADER LIBRARY

Prints one TAP line per function declared or symbol exported. With --mach-o the library is one for macOS, and NM is
LLVM's.
"""

import argparse
import re
import subprocess
import sys


def output_of(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def declared_functions(cc: str, header: str) -> set[str]:
    """The compiler takes the comments out, so that only code is left to search. `name (*` is the type of a function."""
    code = output_of(*cc.split(), "-E", "-P", "-x", "c", header)
    return set(re.findall(r"\b(wasmtrap_\w+)\s*\((?!\*)", code))


def exported_symbols(nm: str, library: str, mach_o: bool) -> dict[str, str]:
    """Name and nm's letter of each symbol: T is a function, all other letters are data, weak or special. Versions
    (wasmtrap_call@@WASMTRAP_0.1) are left out, and so are the symbols that stand for them."""
    symbols = {}
    for line in output_of(*nm.split(), "-g" if mach_o else "-D", "--defined-only", library).splitlines():
        _, letter, name = line.split()
        name = name.partition("@")[0]
        if letter == "A" and name.startswith("WASMTRAP_"):
            continue
        symbols[name.removeprefix("_") if mach_o else name] = letter
    return symbols


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--mach-o", action="store_true")
    parser.add_argument("header")
    parser.add_argument("binary")
    arguments = parser.parse_args()

    declared = declared_functions(arguments.cc, arguments.header)
    exported = exported_symbols(arguments.nm, arguments.binary, arguments.mach_o)
    if not declared:
        sys.exit(f"{arguments.header} declares no function: is it the right file?")

    failures = 0
    names = sorted(declared | set(exported))
    for number, name in enumerate(names, 1):
        if name not in declared:
            problem = "is exported and not declared"
        elif name not in exported:
            problem = "is declared and not exported"
        elif exported[name] != "T":
            problem = f"is exported, but not as a function (nm says {exported[name]})"
        else:
            print(f"ok {number} - {name} is declared and exported")
            continue
        failures += 1
        print(f"not ok {number} - {name} {problem}")
    print(f"1..{len(names)}")
    print(f"{len(names) - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
