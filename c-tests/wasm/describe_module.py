#!/usr/bin/env python3
"""Writes the C description of a translated module: its code's bounds, a table of its functions, and its entries.

Offsets are those of the object file. They hold in whatever the object is linked into, as the code section, named
wasm_code_NAME there, has nothing else in it; it is an error if the compiler has put code into more sections than .text.
"""

import argparse
import re
import subprocess
import sys

import wasm_binary

DECLARATION = re.compile(r"^static .*?\b(w2c_\w+)\(Z_\w+_instance_t\*.*\);$", re.MULTILINE)


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


def describe(name, module, names, symbols):
    section = f"wasm_code_{name}"
    yield f"/* Describes the module {name} for wasm_rt_wasmtrap.h. Made by describe_module.py. */"
    yield '#include "wasm_rt_wasmtrap.h"\n'
    for bound in "__start_", "__stop_":
        yield f'extern const char {bound}{section}[] __attribute__((visibility("hidden")));'

    yield "\nstatic const wasm_rt_wasmtrap_symbol_t symbols[] = {"
    for offset, size, symbol in symbols:
        # What the compiler made of a function it calls NAME.constprop.0 and the like.
        known = names.get(symbol.split(".")[0])
        yield f"    {{{offset}u, {size}u, {wasm_binary.c_string(known) if known else 'NULL'}}},"
    yield "};\n"

    entries = [
        field
        for field, kind, index in module.exports
        if kind == wasm_binary.FUNCTION and module.types[module.functions[index]] == (b"", b"")
    ]
    for field in entries:
        yield f"void {wasm_binary.c_symbol(name, field)}(void *instance);"
    yield "static const wasm_rt_wasmtrap_entry_t entries[] = {"
    for field in entries:
        yield f"    {{{wasm_binary.c_string(field)}, {wasm_binary.c_symbol(name, field)}}},"
    yield "    {NULL, NULL},\n};\n"

    yield f"const wasm_rt_wasmtrap_module_t wasm_module_{name} = {{"
    yield f"    .name = {wasm_binary.c_string(name)},"
    yield f"    .code_start = __start_{section},"
    yield f"    .code_stop = __stop_{section},"
    yield f"    .symbols = symbols,\n    .symbol_count = {len(symbols)},"
    yield f"    .entries = entries,\n    .entry_count = {len(entries)},\n}};"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--name", required=True)
    parser.add_argument("wasm")
    parser.add_argument("c_file", help="the module in C")
    parser.add_argument("object", help="the compiled C")
    parser.add_argument("output")
    arguments = parser.parse_args()
    module = wasm_binary.read(arguments.wasm)
    names = functions_in_c(arguments.c_file, module)
    symbols = code_symbols(arguments.nm, arguments.object)
    with open(arguments.output, "w", encoding="utf-8") as file:
        for line in describe(arguments.name, module, names, symbols):
            print(line, file=file)


if __name__ == "__main__":
    main()
