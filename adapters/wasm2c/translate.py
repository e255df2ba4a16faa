#!/usr/bin/env python3
"""Translates a WebAssembly binary to C for wasm_rt_wasmtrap: runs wasm2c, and lets its CALL_INDIRECT say why it traps.

wasm2c 1.0.32 raises one code for the three ways in which call_indirect can trap. In its macro, the one occurrence of
TRAP(CALL_INDIRECT) becomes CALL_INDIRECT_TRAP(table, x), which wasm_rt_wasmtrap_module.h defines. Nothing else of the
generated code is changed.
"""

import argparse
import os
import re
import subprocess
import sys

VERSION = "1.0.32"
RAISED = "TRAP(CALL_INDIRECT)"
RAISED_WITH_REASON = "CALL_INDIRECT_TRAP(table, x)"
MACRO = re.compile(r"#define CALL_INDIRECT\(table, t, ft, x, \.\.\.\)(.*\\\n)*.*")


class Untranslatable(Exception):
    """wasm2c's own reason for refusing the module."""


def check_version(wasm2c):
    version = subprocess.run([wasm2c, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if version.split()[0] != VERSION:
        sys.exit(f"{wasm2c} is version {version}; this runtime is made for the output of {VERSION} (Debian 12's wabt)")


def translate(wasm2c, wasm, c_file, name, flags=()):
    """Writes c_file and the header beside it."""
    command = [wasm2c, *flags, "--module-name", name, "--output", c_file, wasm]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise Untranslatable(reason(run))
    with open(c_file, encoding="utf-8") as file:
        code = file.read()
    macro = MACRO.search(code)
    if code.count(RAISED) != 1 or not macro or RAISED not in macro.group():
        sys.exit(f"{c_file}: this is not the output of wasm2c {VERSION}: {RAISED} is not where it was")
    with open(c_file, "w", encoding="utf-8") as file:
        file.write(code.replace(RAISED, RAISED_WITH_REASON))


def reason(run):
    """What a tool that failed had to say, in one line."""
    said = [line.strip() for line in (run.stderr + run.stdout).splitlines() if line.strip()]
    if run.returncode < 0:
        return f"{os.path.basename(run.args[0])} died of signal {-run.returncode}" + "".join(f": {s}" for s in said[:1])
    return said[0].split("error: ", 1)[-1] if said else f"exit status {run.returncode}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wasm2c", default="wasm2c")
    parser.add_argument("--name", required=True, help="the module's name in C")
    parser.add_argument("--flag", action="append", default=[], help="a flag for wasm2c")
    parser.add_argument("wasm")
    parser.add_argument("c_file")
    arguments = parser.parse_args()
    check_version(arguments.wasm2c)
    try:
        translate(arguments.wasm2c, arguments.wasm, arguments.c_file, arguments.name, arguments.flag)
    except Untranslatable as refusal:
        sys.exit(f"{arguments.wasm}: {refusal}")


if __name__ == "__main__":
    main()
