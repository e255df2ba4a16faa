#!/usr/bin/env python3
"""Builds what a host links: a WebAssembly module, and once the runtime. Installed as `wasmtrap-wasm2c`.

    wasmtrap-wasm2c module NAME.wasm -o NAME.o     also writes NAME.h, beside it; the description is wasm_module_NAME
    wasmtrap-wasm2c runtime -o runtime.o
    wasmtrap-wasm2c cflags                         for the host's own C: where the headers are

WASM2C and CC say which programs to use, CFLAGS what else the compiler is to be given, for the module and the runtime
alike (such as -DSUPPORT_MEMORY64=1). For ELF; where else a module goes is up to its build.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import translate
import wabt_flags

HERE = os.path.dirname(os.path.realpath(__file__))

# What wasm2c generates is no code to warn about: -w.
#   traps     a frame too large for the guard page touches every page (stack-clash); endless recursion stays a recursion
#             (sibling calls), though it does nothing else (modref, pure-const)
#   floats    no constant folding that forgets what a signalling NaN or the rounding mode does; no fused multiply-add
#   frames    a function of the module is a function of the object (inlining, clones, folding of equal functions), has a
#             frame pointer, and is whole in .text (reordering), where describe_module.py and objcopy look for it
TRAP_FLAGS = (
    "-fstack-clash-protection --param=stack-clash-protection-guard-size=12 -fno-optimize-sibling-calls"
    " -fno-ipa-modref -fno-ipa-pure-const"
).split()
FLOAT_FLAGS = "-frounding-math -fsignaling-nans -ffp-contract=off".split()
FRAME_FLAGS = (
    "-fno-omit-frame-pointer -fno-reorder-functions -fno-inline-small-functions -fno-inline-functions-called-once"
    " -fno-partial-inlining -fno-ipa-icf -fno-ipa-cp -fno-ipa-sra"
).split()
GENERATED_FLAGS = ["-std=gnu11", "-w", "-fPIC", *TRAP_FLAGS, *FLOAT_FLAGS, *FRAME_FLAGS]
RUNTIME_FLAGS = ["-std=gnu11", "-fPIC", "-fno-omit-frame-pointer", "-pthread"]


def run(*command):
    """Ends with the status of a command that fails, which has said why."""
    status = subprocess.run(command).returncode
    if status != 0:
        sys.exit(status if status > 0 else 1)


def known(cc, flags):
    """Those that the compiler knows."""

    def takes(*some):
        probe = [*cc, "-Werror", *some, "-x", "c", "-c", os.devnull, "-o", os.devnull]
        return subprocess.run(probe, capture_output=True).returncode == 0

    return flags if takes(*flags) else [flag for flag in flags if takes(flag)]


def includes(arguments):
    """wasmtrap.h is where the compiler or CFLAGS finds it, or in the tree that this is installed in."""
    folders = [HERE]
    for above in ("../../../include", "../../include"):
        folder = os.path.normpath(os.path.join(HERE, above))
        if os.path.exists(os.path.join(folder, "wasmtrap.h")):
            folders.append(folder)
            break
    return [f"-I{folder}" for folder in folders] + wabt_flags.flags(arguments.wasm2c, arguments.runtime)


def build_runtime(arguments):
    source = os.path.join(HERE, "wasm_rt_wasmtrap.c")
    run(*arguments.cc, *arguments.optimize, *RUNTIME_FLAGS, *includes(arguments), "-c", source, "-o", arguments.output)


def build_module(arguments):
    name = arguments.name or os.path.splitext(os.path.basename(arguments.wasm))[0]
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        sys.exit(f"'{name}' is no name of C; give another by --name")
    header = os.path.join(os.path.dirname(arguments.output), name + ".h")
    with tempfile.TemporaryDirectory() as folder:
        c_file, text, about, code = (os.path.join(folder, name + end) for end in (".c", ".o", ".about.c", ".code.o"))
        flags = [*arguments.optimize, *includes(arguments), f"-I{folder}"]
        try:
            translate.translate(arguments.wasm2c, arguments.wasm, c_file, name, arguments.flag, [*arguments.cc, *flags])
        except translate.Untranslatable as refusal:
            sys.exit(f"{arguments.wasm}: {refusal}")
        first = ["-include", os.path.join(HERE, "wasm_rt_wasmtrap_module.h")]
        run(*arguments.cc, *known(arguments.cc, GENERATED_FLAGS), *flags, *first, "-c", c_file, "-o", text)
        describe = [sys.executable, os.path.join(HERE, "describe_module.py"), "--nm", arguments.nm, "--name", name]
        run(*describe, arguments.wasm, c_file, text, about)
        run(*arguments.cc, "-std=gnu11", "-fPIC", *flags, "-c", about, "-o", about + ".o")
        run(arguments.objcopy, "--rename-section", f".text=wasm_code_{name}", text, code)
        run(*arguments.cc, "-r", "-nostdlib", code, about + ".o", "-o", arguments.output)
        shutil.copy(os.path.join(folder, name + ".h"), header)


def main():
    environment = os.environ
    parser = argparse.ArgumentParser(prog="wasmtrap-wasm2c")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, about in (("module", "compile a module"), ("runtime", "compile the runtime"), ("cflags", "for hosts")):
        options = commands.add_parser(command, help=about)
        options.add_argument("--wasm2c", default=environment.get("WASM2C", "wasm2c"))
        options.add_argument("--runtime", help="the folder of wasm-rt-impl.c, where it is not found by itself")
        options.add_argument("--cc", type=shlex.split, default=shlex.split(environment.get("CC", "cc")))
        if command == "module":
            options.add_argument("--name", help="the module's name in C; the file's by default")
            options.add_argument("--flag", action="append", default=[], help="a flag for wasm2c (--flag=--enable-...)")
            options.add_argument("--nm", default=environment.get("NM", "nm"))
            options.add_argument("--objcopy", default=environment.get("OBJCOPY", "objcopy"))
            options.add_argument("wasm")
        if command != "cflags":
            options.add_argument("-o", dest="output", required=True)
    arguments = parser.parse_args()
    arguments.optimize = shlex.split(environment.get("CFLAGS", "")) or ["-O2", "-g"]
    if arguments.command == "cflags":
        print(shlex.join(includes(arguments)))
    else:
        {"module": build_module, "runtime": build_runtime}[arguments.command](arguments)


if __name__ == "__main__":
    main()
