#!/usr/bin/env python3
"""Builds a test of what not every wabt can do, or not with every SIMDe.

If this wabt translates the test's module, make builds PROGRAM as it does any other, and TEST is a copy of it. If it
does not, TEST is a program that skips itself with the tool's own reason; so it is where both wasm-rt.h and the C lack a
word that the promise needs.
"""

import argparse
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import translate


def refusal(arguments):
    """Why this wabt cannot do it; None if it can."""
    flags, cc = arguments.flags.split(), shlex.split(arguments.cc)
    with tempfile.TemporaryDirectory() as folder:
        wasm, c_file = os.path.join(folder, "module.wasm"), os.path.join(folder, "module.c")
        assembled = subprocess.run(
            [arguments.wat2wasm, *flags, arguments.wat, "-o", wasm], capture_output=True, text=True
        )
        if assembled.returncode != 0:
            return f"{arguments.wat2wasm}: {translate.reason(assembled)}"
        try:
            translate.translate(arguments.wasm2c, wasm, c_file, "module", flags, [*cc, *arguments.wabt_flags.split()])
        except translate.Untranslatable as reason:
            return f"{arguments.wasm2c} {translate.version(arguments.wasm2c)}: {reason}"
        code = pathlib.Path(c_file).read_text(encoding="utf-8")
    preprocess = [*cc, "-E", "-dD", *arguments.wabt_flags.split(), "-include", "wasm-rt.h", "-x", "c"]
    header = subprocess.run([*preprocess, os.devnull], capture_output=True, text=True, check=True).stdout
    needs = re.compile(rf"\b{re.escape(arguments.needs)}\b")
    if arguments.needs and not needs.search(header) and not needs.search(code):
        return f"{arguments.wasm2c} {translate.version(arguments.wasm2c)} has no {arguments.needs}"
    return None


def main():
    parser = argparse.ArgumentParser()
    for option in ("cc", "make", "wat2wasm", "wasm2c"):
        parser.add_argument("--" + option, required=True)
    for option in ("flags", "needs", "wabt-flags"):
        parser.add_argument("--" + option, default="")
    for name in ("wat", "test", "program"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    reason = refusal(arguments)
    if reason is None:
        subprocess.run([*shlex.split(arguments.make), arguments.program], check=True)
        shutil.copy(arguments.program, arguments.test)
        return
    line = f"1..0 # SKIP {reason}".replace("\\", "\\\\").replace('"', '\\"')
    source = pathlib.Path(arguments.test).with_suffix(".skip.c")
    source.write_text(f'#include <stdio.h>\nint main(void) {{ puts("{line}"); return 0; }}\n', encoding="utf-8")
    subprocess.run([*shlex.split(arguments.cc), source, "-o", arguments.test], check=True)
    source.unlink()


if __name__ == "__main__":
    main()
