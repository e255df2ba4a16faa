#!/usr/bin/env python3
"""Whether libwasmtrap_wasmtime exports what it should: every function that the crate wasmtime asks a custom platform
for (but fibers, which it has itself on these processors), every function of wasmtrap.h, and nothing else.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys


def asked_for(cargo, manifest):
    command = [cargo, "metadata", "--locked", "--format-version", "1", "--manifest-path", manifest]
    metadata = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    (found,) = (package["manifest_path"] for package in metadata["packages"] if package["name"] == "wasmtime")
    source = pathlib.Path(found).parent / "src/runtime/vm/sys/custom/capi.rs"
    return {name for name in re.findall(r"pub fn (wasmtime_\w+)", source.read_text()) if "fiber" not in name}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cargo", required=True)
    parser.add_argument("--nm", required=True)
    parser.add_argument("file", help="the shared library")
    options = parser.parse_args()
    header = re.sub(r"//.*", "", pathlib.Path("include/wasmtrap.h").read_text())
    wanted = asked_for(options.cargo, pathlib.Path(__file__).with_name("host") / "Cargo.toml")
    wanted |= set(re.findall(r"\b(wasmtrap_\w+)\(", header))
    listed = subprocess.run([options.nm, "-D", "--defined-only", options.file], stdout=subprocess.PIPE, check=True,
                            universal_newlines=True).stdout
    exported = {line.split()[-1] for line in listed.splitlines()}
    for name in sorted(wanted - exported):
        print(f"not exported: {name}")
    for name in sorted(exported - wanted):
        print(f"exported for nobody: {name}")
    print(f"{len(wanted & exported)} passed, {len(wanted ^ exported)} failed")
    return 1 if wanted != exported else 0


if __name__ == "__main__":
    sys.exit(main())
