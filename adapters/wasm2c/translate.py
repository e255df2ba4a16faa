#!/usr/bin/env python3
"""Translates a WebAssembly binary to C for wasm_rt_wasmtrap: runs wasm2c, of any wabt since 1.0.31, and changes
three things in what it writes.

- wasm2c raises one code for the three ways in which call_indirect can trap. Where it raises it,
  TRAP(CALL_INDIRECT) becomes CALL_INDIRECT_TRAP(table, index), which wasm_rt_wasmtrap_module.h defines. A wasm2c that
  raises it in a way that is not known here is said so on the standard error; its code then traps as
  WASMTRAP_CODE_UNDEFINED_ELEMENT for all three.
- Loads and stores of vectors get the barriers that others have.
- The header of a wasm2c with the older names (names.py) gets today's beside them.

No version is asked for: what wasm2c writes is looked at.
"""

import argparse
import functools
import os
import re
import subprocess
import sys

import names
import wasm_binary

RAISED = "TRAP(CALL_INDIRECT)"
# Up to 1.0.41, in macros with the parameters `table` and `x`; after it, in a function that has the table and the index.
MACRO = re.compile(r"#define \w+\((?P<parameters>[^)]*)\)(?:.*\\\n)*.*")
FUNCTION = re.compile(
    r"wasm_rt_funcref_table_t\*\s*(?:const\s+)?(?P<table>\w+),[^)]*?uint32_t\s+(?P<index>\w+)\)\s*\{.*?^\}",
    re.MULTILINE | re.DOTALL,
)
SIMDE = "simde/wasm/simd128.h"
VECTORS = f"#include <{SIMDE}>\n"
VECTORS_WITH_BARRIERS = VECTORS + '#include "wasm_rt_wasmtrap_vectors.h"\n'
LAST_ENDIF = re.compile(r"(?=#ifdef __cplusplus\n\}\n#endif\s*#endif[^\n]*\s*\Z)")


class Untranslatable(Exception):
    """wasm2c's own reason for refusing the module, or what its C wants and is not here."""


def version(wasm2c):
    """What it calls itself, for people to read."""
    run = subprocess.run([wasm2c, "--version"], capture_output=True, text=True)
    return run.stdout.strip() or "of an unknown version"


def tell_apart(code):
    """The code, with a reason at each place where call_indirect traps; and whether there is a place without."""

    def in_macro(match):
        parameters = [parameter.strip() for parameter in match["parameters"].split(",")]
        if "table" not in parameters or "x" not in parameters:
            return match.group()
        return match.group().replace(RAISED, "CALL_INDIRECT_TRAP(&(table), x)")

    def in_function(match):
        return match.group().replace(RAISED, f"CALL_INDIRECT_TRAP({match['table']}, {match['index']})")

    code = FUNCTION.sub(in_function, MACRO.sub(in_macro, code))
    return code, RAISED in code or "CALL_INDIRECT_TRAP" not in code


@functools.lru_cache
def finds_simde(cc):
    """Whether the compiler, a tuple of words, finds the part of SIMDe that vectors want; old versions lack it."""
    command = [*cc, "-E", "-include", SIMDE, "-x", "c", os.devnull]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def translate(wasm2c, wasm, c_file, name, flags=(), cc=()):
    """Writes c_file and the header beside it. Returns the dialect of their names. `cc`, if given, is asked whether it
    will find what c_file wants."""
    command = [wasm2c, *flags, "--module-name", name, "--output", c_file, wasm]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise Untranslatable(reason(run))
    with open(c_file, encoding="utf-8") as file:
        code, left = tell_apart(file.read())
    if cc and VECTORS in code and not finds_simde(tuple(cc)):
        raise Untranslatable(f"its vectors want SIMDe's {SIMDE}, which {cc[0]} does not find")
    if left:
        print(f"{c_file}: {wasm2c} {version(wasm2c)} raises the traps of call_indirect in a way that is not known: they"
              " will not be told apart", file=sys.stderr)
    with open(c_file, "w", encoding="utf-8") as file:
        file.write(code.replace(VECTORS, VECTORS_WITH_BARRIERS, 1))

    h_file = os.path.splitext(c_file)[0] + ".h"
    with open(h_file, encoding="utf-8") as file:
        header = file.read()
    dialect = names.of_header(name, header)
    if dialect is None:
        sys.exit(f"{h_file}: {wasm2c} {version(wasm2c)} names things in a way that is not known: wabt 1.0.31 and later"
                 " are")
    if dialect is names.Older:
        lines = "".join(line + "\n" for line in names.defines(name, wasm_binary.read(wasm)))
        with open(h_file, "w", encoding="utf-8") as file:
            later = "/* The names of later versions of wasm2c. */\n" + lines + "\n"
            file.write(LAST_ENDIF.sub(lambda _: later, header))
    return dialect


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
    try:
        translate(arguments.wasm2c, arguments.wasm, arguments.c_file, arguments.name, arguments.flag)
    except Untranslatable as refusal:
        sys.exit(f"{arguments.wasm}: {refusal}")


if __name__ == "__main__":
    main()
