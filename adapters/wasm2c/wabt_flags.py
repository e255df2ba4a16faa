#!/usr/bin/env python3
"""Prints the compiler flags that find what a wasm2c ships for its output: wasm-rt.h, and the sources of its runtime.

They are looked for around the program: below the prefix that it is installed in, as wabt's own installation and
Debian's package have them (the latter leaves the files that the sources include out of share/wabt/wasm2c, and has all
of them in src/wasm2c), and beside the folder that it was built in.
"""

import argparse
import os
import re
import shutil
import sys

RUNTIME = "wasm-rt-impl.c"
INCLUDED = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def is_whole(folder, beside):
    """Whether all that the runtime's sources include is in one of these folders."""
    for source in (RUNTIME, "wasm-rt-mem-impl.c", "wasm-rt-exceptions-impl.c"):
        path = os.path.join(folder, source)
        if not os.path.exists(path):
            # The others have not always been there.
            if source == RUNTIME:
                return False
            continue
        with open(path, encoding="utf-8") as file:
            for name in INCLUDED.findall(file.read()):
                if not any(os.path.exists(os.path.join(place, name)) for place in (folder, *beside)):
                    return False
    return True


def find(wasm2c):
    """The folder of the sources, and that of the header where it is another one."""
    program = shutil.which(wasm2c)
    if program is None:
        sys.exit(f"{wasm2c}: not found")
    program = os.path.realpath(program)
    above = os.path.dirname(os.path.dirname(program))
    include = os.path.join(above, "include")
    for folder in ("src/wasm2c", "share/wabt/wasm2c", "share/wasm2c", "wasm2c"):
        folder = os.path.join(above, folder)
        if is_whole(folder, [include]):
            return folder, None if os.path.exists(os.path.join(folder, "wasm-rt.h")) else include
    sys.exit(f"{program}: the sources of its runtime ({RUNTIME} and what that includes) are not below {above}; say"
             " where they are (--runtime; for make, WABT_RUNTIME)")


def flags(wasm2c, runtime=None):
    folder, include = (runtime, None) if runtime else find(wasm2c)
    # A compiler's own folders are not to be moved to another place of its search.
    folders = [folder] + ([include] if include and include not in ("/usr/include", "/usr/local/include") else [])
    return [word for place in folders for word in ("-isystem", place)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wasm2c", default="wasm2c")
    parser.add_argument("--runtime", help="the folder of wasm-rt-impl.c, where it is not found by itself")
    arguments = parser.parse_args()
    print(" ".join(flags(arguments.wasm2c, arguments.runtime)))


if __name__ == "__main__":
    main()
