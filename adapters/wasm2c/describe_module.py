#!/usr/bin/env python3
"""Writes the C description of a translated module: its code's bounds, a table of its functions, and its entries.

Offsets are those of the object file. They hold in whatever the object is linked into, as the code section, named
wasm_code_NAME there, has nothing else in it; it is an error if the compiler has put code into more sections than .text.

With --mach-o the object is one for macOS, where the section is __TEXT,__wasm from the start, with --coff one for
Windows.
"""

import argparse
import os
import re
import subprocess
import sys

import names
import wasm_binary

# Of either dialect (names.py): a function's first parameter is the instance, and no other declaration has one.
DECLARATION = re.compile(r"^static .*?\b(w2c_\w+)\((?:Z_\w+_instance_t|w2c_\w+)\*.*\);$", re.MULTILINE)
# A second form of a function, for tail calls, is called as it is, with this in front.
TAIL_CALLED = "wasm_tailcall_"


def functions_in_c(c_file, module):
    """{C function: name}, from the declarations that wasm2c writes in the order of the module's functions."""
    with open(c_file, encoding="utf-8") as file:
        declared = DECLARATION.findall(file.read())
    defined = range(module.imported_functions, len(module.functions))
    if len(declared) != len(defined):
        sys.exit(f"{c_file} declares {len(declared)} functions, and the module has {len(defined)}")
    return {symbol: module.function_name(index) for symbol, index in zip(declared, defined)}


def code_symbols(nm, obj):
    """[(offset, size, C function)] of the object's code, in ascending order."""
    listing = subprocess.run([nm, "--format=sysv", "--defined-only", obj], capture_output=True, text=True, check=True)
    symbols = []
    for line in listing.stdout.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 7 or fields[3] != "FUNC":
            continue
        if fields[6] != ".text":
            sys.exit(f"{obj}: {fields[0]} is in {fields[6]}, not in .text")
        symbols.append((int(fields[1], 16), int(fields[4], 16), fields[0]))
    return sorted(symbols)


def mach_o_code_symbols(nm, objdump, obj):
    """The same for Mach-O, whose symbols have no size: each reaches to the next."""
    headers = subprocess.run([objdump, "--section-headers", obj], capture_output=True, text=True, check=True).stdout
    place = re.search(r"^ *\d+ __wasm +([0-9a-f]+) +([0-9a-f]+)", headers, re.MULTILINE)
    if not place:
        sys.exit(f"{obj}: has no section __TEXT,__wasm")
    size, start = (int(number, 16) for number in place.groups())
    listing = subprocess.run([nm, "-m", "-n", "--defined-only", obj], capture_output=True, text=True, check=True)
    found = []
    for line in listing.stdout.splitlines():
        symbol = re.match(r"([0-9a-f]+) \((\w+),(\w+)\) .*?_(\S+)$", line)
        if symbol and symbol[2] == "__TEXT" and symbol[3] == "__wasm":
            found.append((int(symbol[1], 16) - start, symbol[4]))
        elif symbol and symbol[3] == "__text":
            sys.exit(f"{obj}: {symbol[4]} is in __text, not in __wasm")
    ends = [offset for offset, _ in found[1:]] + [size]
    return [(offset, end - offset, symbol) for (offset, symbol), end in zip(found, ends)]


def coff_code_symbols(nm, objdump, obj):
    """The same for COFF, whose symbols have no size either."""
    headers = subprocess.run([objdump, "--section-headers", obj], capture_output=True, text=True, check=True).stdout
    place = re.search(r"^ *\d+ \.text +([0-9a-f]+) ", headers, re.MULTILINE)
    if not place:
        sys.exit(f"{obj}: has no section .text")
    listing = subprocess.run([nm, "-n", "--format=sysv", "--defined-only", obj], capture_output=True, text=True,
                             check=True)  # fmt: skip
    found = []
    for line in listing.stdout.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 7 or fields[2] not in "tT" or fields[0] == fields[6]:
            continue
        if fields[6] != ".text":
            sys.exit(f"{obj}: {fields[0]} is in {fields[6]}, not in .text")
        found.append((int(fields[1], 16), fields[0]))
    ends = [offset for offset, _ in found[1:]] + [int(place[1], 16)]
    return [(offset, end - offset, symbol) for (offset, symbol), end in zip(found, ends)]


def coff_bounds(name):
    for bound in "start", "stop":
        yield f"extern const char __{bound}_wasm_code_{name}[];"


def elf_bounds(name):
    for bound in "start", "stop":
        yield f'extern const char __{bound}_wasm_code_{name}[] __attribute__((visibility("hidden")));'


def mach_o_bounds(name):
    for bound, symbol in ("start", "start"), ("stop", "end"):
        yield f'extern const char __{bound}_wasm_code_{name}[] __asm__("section${symbol}$__TEXT$__wasm");'


def describe(name, header, dialect, module, functions, symbols, bounds):
    section = f"wasm_code_{name}"
    yield f"/* Describes the module {name} for wasm_rt_wasmtrap.h. Made by describe_module.py. */"
    yield f'#include "wasm_rt_wasmtrap.h"\n#include "{header}"\n'
    yield from bounds(name)

    yield "\nstatic const wasm_rt_wasmtrap_symbol_t symbols[] = {"
    for offset, size, symbol in symbols:
        # What the compiler made of a function it calls NAME.constprop.0 and the like.
        known = functions.get(symbol.split(".")[0].removeprefix(TAIL_CALLED))
        yield f"    {{{offset}u, {size}u, {wasm_binary.c_string(known) if known else 'NULL'}}},"
    yield "};\n"

    entries = [
        field
        for field, kind, index in module.exports
        if kind == wasm_binary.FUNCTION and module.types[module.functions[index]] == (b"", b"")
    ]
    yield "static const wasm_rt_wasmtrap_entry_t entries[] = {"
    for field in entries:
        yield f"    {{{wasm_binary.c_string(field)}, (wasmtrap_function_t){names.Today.member(name, field)}}},"
    yield "    {NULL, NULL},\n};\n"

    yield f"const wasm_rt_wasmtrap_module_t wasm_module_{name} = {{"
    yield f"    .layout = WASM_RT_WASMTRAP_LAYOUT,\n    .name = {wasm_binary.c_string(name)},"
    yield f"    .code_start = __start_{section},"
    yield f"    .code_stop = __stop_{section},"
    yield f"    .symbols = symbols,\n    .symbol_count = {len(symbols)},"
    yield f"    .entries = entries,\n    .entry_count = {len(entries)},"
    if dialect.has_init_module:
        yield f"    .init_module = {dialect.administrative(name, 'init_module')},"
    yield "};"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--objdump", default="objdump", help="for --mach-o and --coff")
    parser.add_argument("--mach-o", action="store_true")
    parser.add_argument("--coff", action="store_true")
    parser.add_argument("--name", required=True)
    parser.add_argument("wasm")
    parser.add_argument("c_file", help="the module in C")
    parser.add_argument("object", help="the compiled C")
    parser.add_argument("output")
    arguments = parser.parse_args()
    module = wasm_binary.read(arguments.wasm)
    functions = functions_in_c(arguments.c_file, module)
    header = os.path.splitext(arguments.c_file)[0] + ".h"
    with open(header, encoding="utf-8") as file:
        dialect = names.of_header(arguments.name, file.read())
    if arguments.mach_o:
        symbols, bounds = mach_o_code_symbols(arguments.nm, arguments.objdump, arguments.object), mach_o_bounds
    elif arguments.coff:
        symbols, bounds = coff_code_symbols(arguments.nm, arguments.objdump, arguments.object), coff_bounds
    else:
        symbols, bounds = code_symbols(arguments.nm, arguments.object), elf_bounds
    with open(arguments.output, "w", encoding="utf-8") as file:
        for line in describe(arguments.name, os.path.basename(header), dialect, module, functions, symbols, bounds):
            print(line, file=file)


if __name__ == "__main__":
    main()
