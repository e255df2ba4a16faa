"""Prints a C file that defines each function of a header, and does nothing: what a debugger's and abidiff's view of the
header is made of. The library's own debug information has no types.

    stubs.py HEADER
"""

import pathlib
import re
import sys

header = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
code = re.sub(r"//.*", "", header)
declarations = re.findall(r"^([a-z][\w *]*?\bwasmtrap_\w+\([^;{]*?\))[^;{()]*;", code, re.MULTILINE)
declarations = [each for each in declarations if not each.startswith("typedef")]
if not declarations:
    sys.exit(f"{sys.argv[1]} declares no function: is it the right file?")
print('#include "wasmtrap.h"')
for each in declarations:
    print(f"{each} {{ __builtin_trap(); }}")
# Each structure by itself, too: abidiff passes over what it finds only inside of what may grow.
for name in re.findall(r"^typedef struct (\w+) \{", code, re.MULTILINE):
    print(f"void stub_{name}({name} *it) {{ (void)it; }}")
