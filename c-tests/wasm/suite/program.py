"""Turns one file of the test suite, as wast2json leaves it, into the C of a native program.

Every module of the file is translated and compiled for itself. What one module imports from another is linked by name:
wasm2c names an imported thing after the name of the module that is registered under it, and a header of #defines in
front of the importing module leads from there to the module that has the name at that point of the file.

A module that cannot be translated is left out, and with it the commands that need it; both are counted.
"""

import os
from dataclasses import dataclass, field

import translate
import wasm_binary
from wasm_binary import FUNCTION, c_string

# wasm2c's letters for value types, in the names of the structures for more than one result, and how a suite_value_t
# holds them.
LETTERS = {0x7F: "i", 0x7E: "j", 0x7D: "f", 0x7C: "d", 0x7B: "o", 0x70: "r", 0x6F: "e"}
MEMBERS = {"i": "i32", "j": "i64", "f": "f32", "d": "f64"}
VECTOR = "o"
LANE_BITS = {"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64}
NANS = {
    ("f32", "nan:canonical"): "SUITE_F32_CANONICAL_NAN",
    ("f32", "nan:arithmetic"): "SUITE_F32_ARITHMETIC_NAN",
    ("f64", "nan:canonical"): "SUITE_F64_CANONICAL_NAN",
    ("f64", "nan:arithmetic"): "SUITE_F64_ARITHMETIC_NAN",
}
KINDS = {
    "module": "SUITE_MODULE",
    "action": "SUITE_ACTION",
    "assert_return": "SUITE_RETURN",
    "assert_trap": "SUITE_TRAP",
    "assert_uninstantiable": "SUITE_TRAP",
    "assert_exhaustion": "SUITE_EXHAUSTION",
}
# What the translator must refuse, or the linker: no business of a trap library.
NOT_APPLICABLE = ("assert_invalid", "assert_malformed", "assert_unlinkable")


@dataclass
class Module:
    name: str
    binary: wasm_binary.Module
    c_file: str
    # #defines of the imported names, for the module's own C and around its header in the program.
    renames: list
    instantiate: str
    # How wasm2c names things.
    names: type


@dataclass
class Program:
    modules: list = field(default_factory=list)
    functions: list = field(default_factory=list)
    commands: list = field(default_factory=list)
    not_applicable: int = 0
    untranslated: list = field(default_factory=list)
    # Commands that were left out because their module is untranslated.
    left_out: int = 0


class Builder:
    def __init__(self, commands, folder, wasm2c, cc):
        self.folder, self.wasm2c, self.cc = folder, wasm2c, cc
        self.program = Program()
        self.current = None  # the latest module; None if it is untranslated
        self.named = {}  # the file's own name -> module
        self.registered = {}  # name for imports -> module
        self.thunks = {}
        for command in commands:
            self.add(command)

    def add(self, command):
        kind = command["type"]
        if kind in NOT_APPLICABLE:
            self.program.not_applicable += 1
        elif kind == "register":
            self.registered[command["as"]] = self.module_of(command)
        elif kind in ("module", "assert_uninstantiable"):
            module = self.module(command)
            if kind == "module":
                self.current = module
                if "name" in command:
                    self.named[command["name"]] = module
            elif module is None:
                self.program.left_out += 1
        elif self.module_of(command["action"]) is None:
            self.program.left_out += 1
        else:
            self.action(command, self.module_of(command["action"]))

    def module_of(self, thing):
        name = thing.get("module", thing.get("name"))
        return self.named[name] if name else self.current

    # ---- Modules ----

    def module(self, command):
        name = f"m{len(self.program.modules)}"
        wasm = os.path.join(self.folder, command["filename"])
        c_file = os.path.join(self.folder, name + ".c")
        try:
            dialect = translate.translate(self.wasm2c, wasm, c_file, name, cc=self.cc)
            module = self.linked(name, wasm_binary.read(wasm), c_file, dialect)
        except translate.Untranslatable as reason:
            self.program.untranslated.append((command["line"], str(reason)))
            return None
        self.program.modules.append(module)
        thunk = f"make_{name}"
        self.function(thunk, module.instantiate)
        self.command(command, f"module {name}", thunk, f"&module_{name}", [], [])
        return module

    def linked(self, name, binary, c_file, dialect):
        renames, instances = {}, {}
        for imported, field_name, _ in binary.imports:
            if imported == "spectest":
                instances[imported] = "&spectest"
                continue
            exporter = self.registered.get(imported)
            if exporter is None:
                raise translate.Untranslatable(f"imports from '{imported}', which is untranslated")
            instances[imported] = f"&{exporter.name}"
            renames[dialect.member(imported, field_name)] = dialect.member(exporter.name, field_name)
            renames[dialect.instance(imported)] = dialect.instance(exporter.name)
        arguments = ", ".join([f"&{name}", *(instances[imported] for imported in sorted(instances, key=str.encode))])
        init = f"{dialect.administrative(name, 'init_module')}(); " if dialect.has_init_module else ""
        instantiate = f"spectest_set_up(); {init}{dialect.administrative(name, 'instantiate')}({arguments});"
        return Module(name, binary, c_file, sorted(renames.items()), instantiate, dialect)

    # ---- Actions ----

    def action(self, command, module):
        action = command["action"]
        thunk = self.thunk(module, action["type"], action["field"])
        arguments = [half for value in action.get("args", []) for half in halves(value)]
        results = expectations(value for value in command.get("expected", []) if "value" in value)
        self.command(command, action["field"], thunk, "NULL", arguments, results)

    def thunk(self, module, kind, field_name):
        """The function that calls an export, or reads an exported global."""
        key = (module.name, kind, field_name)
        if key not in self.thunks:
            self.thunks[key] = f"call_{len(self.thunks)}"
            body = self.get(module, field_name) if kind == "get" else self.invoke(module, field_name)
            self.function(self.thunks[key], body)
        return self.thunks[key]

    def get(self, module, field_name):
        # Several types of globals, one way to copy: wasm2c hands out a pointer.
        symbol = module.names.member(module.name, field_name)
        return f"memcpy(r, {symbol}(&{module.name}), sizeof *{symbol}(&{module.name}));"

    def invoke(self, module, field_name):
        (index,) = (i for name, kind, i in module.binary.exports if (name, kind) == (field_name, FUNCTION))
        parameters, results = (
            [LETTERS[value] for value in values] for values in module.binary.types[module.binary.functions[index]]
        )
        arguments = [f"&{module.name}", *(argument(i, letter) for i, letter in zip(places(parameters), parameters))]
        call = f"{module.names.member(module.name, field_name)}({', '.join(arguments)})"
        if not results:
            return call + ";"
        if len(results) == 1:
            return store(0, results[0], call)
        stores = (store(i, letter, f"all.{letter}{n}") for n, (i, letter) in enumerate(zip(places(results), results)))
        return f"struct wasm_multi_{''.join(results)} all = {call}; {' '.join(stores)}"

    def function(self, name, body):
        head = f"static void {name}(const suite_value_t *a, suite_value_t *r)"
        self.program.functions.append(f"{head} {{ (void)a; (void)r; {body} }}")

    def command(self, command, name, thunk, module, arguments, results):
        arguments = f"(const suite_value_t[]){{{', '.join(f'{{{a}}}' for a in arguments)}}}" if arguments else "NULL"
        expected = f"(const suite_result_t[]){{{', '.join(results)}}}" if results else "NULL"
        trap = c_string(command["text"]) if command["type"] not in ("module", "action", "assert_return") else "NULL"
        self.program.commands.append(
            f"    {{{KINDS[command['type']]}, {command['line']}, {c_string(name)}, {thunk}, {module}, "
            f"{arguments}, {expected}, {len(results)}, {trap}}},"
        )


def places(letters):
    """Where each value is: a vector takes two places."""
    place = 0
    for letter in letters:
        yield place
        place += 2 if letter == VECTOR else 1


def argument(index, letter):
    if letter == VECTOR:
        return f"vector_of(&a[{index}])"
    if letter == "r":
        return "wasm_rt_funcref_null_value"  # the suite passes no other
    return f"(void *)(uintptr_t)a[{index}].bits" if letter == "e" else f"a[{index}].{MEMBERS[letter]}"


def store(index, letter, value):
    if letter == VECTOR:
        return f"store_vector(&r[{index}], {value});"
    if letter == "r":
        return f"r[{index}].bits = ({value}).func != NULL;"
    return f"r[{index}].bits = (uintptr_t){value};" if letter == "e" else f"r[{index}].{MEMBERS[letter]} = {value};"


def halves(value):
    """A value as numbers of up to 64 bits: one, or the low and the high half of a vector."""
    if value["type"] != "v128":
        return [bits(value)]
    width = LANE_BITS[value["lane_type"]]
    lanes = (int(lane) & (1 << width) - 1 for lane in value["value"])
    whole = sum(lane << width * i for i, lane in enumerate(lanes))
    return [f"{whole & (1 << 64) - 1}ull", f"{whole >> 64}ull"]


def expectations(values):
    found, place = [], 0
    for value in values:
        if value["type"] != "v128":
            found.append(f"{{{result(value)}, {place}, 0}}")
            place += 1
            continue
        kind = value["lane_type"]
        width = LANE_BITS[kind]
        for i, lane in enumerate(value["value"]):
            at = i * width
            found.append(f"{{{lane_result(kind, width, lane)}, {place + at // 64}, {at % 64}}}")
        place += 2
    return found


def lane_result(kind, width, lane):
    if (kind, lane) in NANS:
        return f"{NANS[kind, lane]}, 0"
    return f"SUITE_{width}_BITS, {int(lane) & (1 << width) - 1}ull"


def bits(value):
    if value["type"] in ("funcref", "externref"):
        return "0" if value["value"] == "null" else f"{int(value['value']) + 1}u"
    return value["value"] + "u" + ("ll" if value["type"].endswith("64") else "")


def result(value):
    if (value["type"], value["value"]) in NANS:
        return f"{NANS[value['type'], value['value']]}, 0"
    if value["type"] == "funcref" and value["value"] != "null":
        return "SUITE_ANY_FUNCTION, 0"
    return f"{'SUITE_32_BITS' if value['type'].endswith('32') else 'SUITE_64_BITS'}, {bits(value)}"


VECTORS = (
    "static inline v128 vector_of(const suite_value_t *a) { v128 v; memcpy(&v, a, sizeof v); return v; }",
    "static inline void store_vector(suite_value_t *r, v128 v) { memcpy(r, &v, sizeof v); }",
)


def renames_header(module):
    return "".join(f"#define {old} {new}\n" for old, new in module.renames)


def program_text(program):
    yield "/* One file of the WebAssembly specification's test suite. Made by program.py. */"
    yield '#include <string.h>\n#include "spectest.h"\n#include "suite.h"\n'
    for module in program.modules:
        yield renames_header(module) + f'#include "{module.name}.h"'
        yield "".join(f"#undef {old}\n" for old, _ in module.renames)
    for module in program.modules:
        section = f"wasm_code_{module.name}"
        yield f"static {module.names.instance(module.name)} {module.name};"
        yield f"extern const char __start_{section}[], __stop_{section}[];"
        yield (
            f"static const wasm_rt_wasmtrap_module_t module_{module.name} = {{"
            f".layout = WASM_RT_WASMTRAP_LAYOUT, .name = \"{module.name}\", "
            f".code_start = __start_{section}, .code_stop = __stop_{section}}};"
        )
    functions = "\n".join(program.functions)
    yield from VECTORS if "vector" in functions else ()
    yield functions
    yield "\nstatic const suite_command_t commands[] = {"
    yield "\n".join(program.commands)
    yield "};\n\nint main(void) { return suite_main(commands, sizeof commands / sizeof commands[0]); }"
