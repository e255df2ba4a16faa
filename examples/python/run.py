"""Builds guarded.c by pkg-config, in a folder, and uses it.

    run.py FOLDER
"""

import pathlib
import shlex
import subprocess
import sys
import sysconfig

folder = pathlib.Path(sys.argv[1])
source = pathlib.Path(__file__).with_name("guarded.c")
flags = subprocess.run(["pkg-config", "--cflags", "--libs", "wasmtrap"], check=True, stdout=subprocess.PIPE, text=True)
headers = f"-I{sysconfig.get_path('include')}"
extension = folder / "guarded.abi3.so"
command = ["cc", "-O2", "-fPIC", "-shared", source, headers, *shlex.split(flags.stdout), "-o", extension]
subprocess.run(command, check=True)

sys.path.insert(0, str(folder))
import guarded  # noqa: E402, only now is it there

print("load(100) =", guarded.load(100))
try:
    guarded.load(70000)
except guarded.Trap as trap:
    print("load(70000):", trap)
print("load(100) =", guarded.load(100))
