#!/usr/bin/env python3
"""Whether libwasmtrap_wasmtime exports what it should: every function that Wasmtime asks a custom platform for, every
function of wasmtrap.h, and nothing else.
"""

import argparse
import pathlib
import re
import shlex
import subprocess
import sys

from platform_functions import asked_for


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cargo", required=True)
    parser.add_argument("--nm", required=True, type=shlex.split, help="nm, with the option for dynamic symbols")
    parser.add_argument("--mach-o", action="store_true", help="the library is for macOS: names begin with _")
    parser.add_argument("--host", default="host", help="the package with the Wasmtime that asks (crates.py)")
    parser.add_argument("file", help="the shared library")
    options = parser.parse_args()
    header = re.sub(r"//.*", "", pathlib.Path("include/wasmtrap.h").read_text())
    wanted = asked_for(options.cargo, options.host) | set(re.findall(r"\b(wasmtrap_\w+)\(", header))
    listed = subprocess.run([*options.nm, "--defined-only", options.file], stdout=subprocess.PIPE, check=True,
                            universal_newlines=True).stdout
    exported = {line.split()[-1] for line in listed.splitlines()}
    if options.mach_o:
        exported = {name.removeprefix("_") for name in exported}
    for name in sorted(wanted - exported):
        print(f"not exported: {name}")
    for name in sorted(exported - wanted):
        print(f"exported for nobody: {name}")
    print(f"{len(wanted & exported)} passed, {len(wanted ^ exported)} failed")
    return 1 if wanted != exported else 0


if __name__ == "__main__":
    sys.exit(main())
