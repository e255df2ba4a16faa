#!/usr/bin/env python3
"""Writes the C of a module's interface (module_interface.h) from its WebAssembly binary.

Imports other than functions are refused: there is nobody to provide them.
"""

import argparse
import sys

import wasm_binary
from names import Today

LETTERS = {0x7F: "i", 0x7E: "j", 0x7D: "f", 0x7C: "d", 0x7B: "v", 0x70: "r", 0x6F: "x"}
C_TYPES = {"i": "u32", "j": "u64", "f": "f32", "d": "f64"}
FIELDS = {"i": "i32", "j": "i64", "f": "f32", "d": "f64"}
PLAIN = set(C_TYPES)


def letters(types):
    return "".join(LETTERS[byte] for byte in types)


def c_result(results):
    """The C type that wasm2c returns results in."""
    if len(results) < 2:
        return C_TYPES[results] if results else "void"
    return f"struct wasm_multi_{results}"


def c_fields(value, results):
    """The C expressions for each result in a value of c_result."""
    return [value] if len(results) == 1 else [f"{value}.{letter}{i}" for i, letter in enumerate(results)]


def invoke(name, number, field, params, results):
    """The function that calls an export with arguments and results in arrays."""
    yield f"static void invoke_{number}(void *instance, const wasm_value_t *params, wasm_value_t *results) {{"
    if not params:
        yield "  (void)params;"
    if not results:
        yield "  (void)results;"
    arguments = "".join(f", params[{i}].{FIELDS[letter]}" for i, letter in enumerate(params))
    result = f"const {c_result(results)} result = " if results else ""
    yield f"  {result}{Today.member(name, field)}(instance{arguments});"
    for i, (letter, value) in enumerate(zip(results, c_fields("result", results))):
        yield f"  results[{i}].{FIELDS[letter]} = {value};"
    yield "}\n"


def import_function(number, module, field, params, results):
    """The function that the module calls for an import: hands it to the host."""
    host = f"struct {Today.instance(module)}"
    parameters = "".join(f", {C_TYPES[letter]} p{i}" for i, letter in enumerate(params))
    yield f"{c_result(results)} {Today.member(module, field)}({host} *host{parameters}) {{"
    yield f"  wasm_value_t params[{max(1, len(params))}] = {{{{0}}}};"
    yield f"  wasm_value_t results[{max(1, len(results))}] = {{{{0}}}};"
    for i, letter in enumerate(params):
        yield f"  params[{i}].{FIELDS[letter]} = p{i};"
    yield f"  call_host((wasm_host_t *)(void *)host, {number}, params, results);"
    if len(results) == 1:
        yield f"  return results[0].{FIELDS[results]};"
    elif results:
        yield f"  {c_result(results)} result;"
        for i, letter in enumerate(results):
            yield f"  result.{letter}{i} = results[{i}].{FIELDS[letter]};"
        yield "  return result;"
    yield "}\n"


CALL_HOST = """\
/* The trap is raised here, where nothing of the host is on the stack any more; inlined, so that a backtrace has one
 * frame for an import. */
static inline __attribute__((always_inline)) void call_host(wasm_host_t *host, size_t import,
                                                            const wasm_value_t *params, wasm_value_t *results) {
  const wasmtrap_code_t code = host->call(host, import, params, results);
  if (code != WASMTRAP_CODE_NONE) wasmtrap_raise(code, 0);
}
"""


def table(kind, name, rows):
    yield f"static const {kind} {name}[] = {{"
    yield from (f"    {{{row}}}," for row in rows or ["0"])
    yield "};"


def quoted(*texts):
    return ", ".join(map(wasm_binary.c_string, texts))


def interface(name, header, module):
    yield f"/* The interface of the module {name}. Made by describe_interface.py. */"
    yield f'#include "{header}"\n#include "module_interface.h"\n'
    yield f"extern const wasm_rt_wasmtrap_module_t wasm_module_{name};\n"

    imports = []
    for number, (from_module, field, _) in enumerate(module.imports):
        entry = (from_module, field, *map(letters, module.types[module.functions[number]]))
        if entry not in imports:
            imports.append(entry)
    if imports:
        yield CALL_HOST
    for number, entry in enumerate(imports):
        yield from import_function(number, *entry)
    yield from table("module_import_t", "imports", [quoted(*entry) for entry in imports])

    functions = []
    for field, kind, index in module.exports:
        if kind != wasm_binary.FUNCTION:
            continue
        params, results = map(letters, module.types[module.functions[index]])
        plain = PLAIN.issuperset(params + results)
        if plain:
            yield from invoke(name, len(functions), field, params, results)
        functions.append(quoted(field, params, results) + (f", invoke_{len(functions)}" if plain else ", NULL"))
    yield from table("module_function_t", "functions", functions)

    memories = []
    for field, kind, _ in module.exports:
        if kind == wasm_binary.MEMORY:
            number = len(memories)
            yield f"static wasm_rt_memory_t *memory_{number}(void *instance) {{"
            yield f"  return {Today.member(name, field)}(instance);\n}}"
            memories.append(f"{quoted(field)}, memory_{number}")
    yield from table("module_memory_t", "memories", memories)

    hosts = dict.fromkeys(from_module for from_module, *_ in imports)
    arguments = "".join(f", (struct {Today.instance(host)} *)(void *)host" for host in hosts)
    yield "static void instantiate(void *instance, wasm_host_t *host) {"
    yield "  (void)host;"
    yield f"  {Today.administrative(name, 'instantiate')}(instance{arguments});"
    yield "}\n"
    yield f"static void release(void *instance) {{ {Today.administrative(name, 'free')}(instance); }}\n"

    yield "extern const module_interface_t wasm_module_interface;"
    yield "const module_interface_t wasm_module_interface = {"
    yield "    .mark = MODULE_INTERFACE_MARK,\n    .struct_size = sizeof(module_interface_t),"
    yield f"    .code = &wasm_module_{name},\n    .instance_size = sizeof({Today.instance(name)}),"
    yield "    .instantiate = instantiate,\n    .release = release,"
    yield f"    .functions = functions,\n    .function_count = {len(functions)},"
    yield f"    .imports = imports,\n    .import_count = {len(imports)},"
    yield f"    .memories = memories,\n    .memory_count = {len(memories)},\n}};"


def refuse_other_imports(path, module):
    kinds = ["function", "table", "memory", "global", "tag"]
    for from_module, field, kind in module.imports:
        if kind != wasm_binary.FUNCTION:
            sys.exit(f"{path}: imports the {kinds[kind]} '{field}' of '{from_module}'; only functions can be imported")
    for number, (from_module, field, _) in enumerate(module.imports):
        params, results = map(letters, module.types[module.functions[number]])
        if not PLAIN.issuperset(params + results):
            sys.exit(f"{path}: the import '{field}' of '{from_module}' has the signature {params} -> {results}; only "
                     "numbers can be handed to the host")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True, help="the module's name in C")
    parser.add_argument("--header", required=True, help="the header that wasm2c made")
    parser.add_argument("wasm")
    parser.add_argument("output")
    arguments = parser.parse_args()
    module = wasm_binary.read(arguments.wasm)
    refuse_other_imports(arguments.wasm, module)
    with open(arguments.output, "w", encoding="utf-8") as file:
        for line in interface(arguments.name, arguments.header, module):
            print(line, file=file)


if __name__ == "__main__":
    main()
