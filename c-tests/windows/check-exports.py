#!/usr/bin/env python3
"""Compares what a DLL exports with the functions of a C header, and what it imports with the system's own libraries.

    check-exports.py --objdump OBJDUMP HEADER DLL
"""

import argparse
import re
import subprocess
import sys

# All of them are parts of every Windows. msvcrt.dll is the C library that mingw-w64 links with; on arm64, which is
# never older than Windows 10, the other one is there too.
SYSTEM = {"kernel32.dll", "ntdll.dll", "advapi32.dll", "msvcrt.dll", "ucrtbase.dll"}


def declared(header):
    with open(header, encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("//")]
    return set(re.findall(r"\b(wasmtrap_[a-z_]+)\(", "".join(lines)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--objdump", required=True)
    parser.add_argument("header")
    parser.add_argument("dll")
    arguments = parser.parse_args()
    command = [arguments.objdump, "-p", arguments.dll]
    dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    exports = dump.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    exported = set(re.findall(r"^\s*\[\s*\d+\] (?:\+base\[\s*\d+\]\s+[0-9a-f]+ )?(\S+)$", exports, re.MULTILINE))
    imported = {name.lower() for name in re.findall(r"DLL Name: (\S+)", dump)}
    problems = [f"not exported: {name}" for name in sorted(declared(arguments.header) - exported)]
    problems += [f"exported, but not declared: {name}" for name in sorted(exported - declared(arguments.header))]
    problems += [f"needs {name}" for name in sorted(imported - SYSTEM)]
    print("\n".join(problems) or f"{arguments.dll}: {len(exported)} functions, as declared")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
