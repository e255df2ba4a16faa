"""The C names that wasm2c gives: a module's instance type, its functions, what it exports and what it imports.

There are two dialects. That of today (since wabt 1.0.34) is the one that hosts and everything else here are written in;
translate.py adds #defines to the headers of the older one (up to 1.0.32) that lead from today's names to its own.
"""

ALPHANUMERIC = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
HEXADECIMAL = set("0123456789ABCDEFabcdef")


def mangled(name, of_module=False):
    """A name as today's wasm2c writes it. What has no place in C is 0xNN; so are an underscore at either end or behind
    another, and a digit that would make an 0xN of the name's own look like one. Modules double their underscores, so
    that no module and export together look like another pair."""
    out, behind_underscore, zero_x = [], False, ""
    data = name.encode()
    for position, byte in enumerate(data):
        char = chr(byte)
        looks_escaped = zero_x == "0x" and char in HEXADECIMAL
        zero_x = "0" if zero_x == "" and char == "0" else "0x" if (zero_x, char) == ("0", "x") else ""
        lone = char == "_" and (position in (0, len(data) - 1) or behind_underscore)
        if looks_escaped or lone or (char != "_" and char not in ALPHANUMERIC):
            out.append(f"0x{byte:02X}")
            behind_underscore, zero_x = False, ""
        else:
            out.append("__" if char == "_" and of_module else char)
            behind_underscore = char == "_"
    return "".join(out)


class Today:
    """w2c_MODULE, wasm2c_MODULE_instantiate, w2c_MODULE_EXPORT."""

    # Whether a module has a function that must be called before it is instantiated.
    has_init_module = False

    @staticmethod
    def instance(module):
        return f"w2c_{mangled(module, True)}"

    @staticmethod
    def administrative(module, what):
        return f"wasm2c_{mangled(module, True)}_{what}"

    @staticmethod
    def member(module, field):
        return f"w2c_{mangled(module, True)}_{mangled(field)}"


class Older:
    """Z_MODULE_instance_t, Z_MODULE_instantiate, Z_MODULEZ_EXPORT."""

    has_init_module = True

    @staticmethod
    def _mangled(name):
        # All but Z, which escapes the others.
        plain = (ALPHANUMERIC | {"_"}) - {"Z"}
        return "Z_" + "".join(chr(byte) if chr(byte) in plain else f"Z{byte:02X}" for byte in name.encode())

    @classmethod
    def instance(cls, module):
        return cls._mangled(module) + "_instance_t"

    @classmethod
    def administrative(cls, module, what):
        return f"{cls._mangled(module)}_{what}"

    @classmethod
    def member(cls, module, field):
        return cls._mangled(module) + cls._mangled(field)


def of_header(module, header):
    """The dialect of the header that wasm2c made of the module, or None if it is neither."""
    for dialect in Today, Older:
        if f" {dialect.administrative(module, 'instantiate')}({dialect.instance(module)}*" in header:
            return dialect
    return None


def defines(module, binary):
    """The lines that lead from today's names to the older ones."""
    yield f"typedef {Older.instance(module)} {Today.instance(module)};"
    for what in "instantiate", "free":
        yield f"#define {Today.administrative(module, what)} {Older.administrative(module, what)}"
    for imported in sorted({imported for imported, _, _ in binary.imports} - {module}):
        yield f"#define {Today.instance(imported)} {Older.instance(imported)}"
    members = [(imported, field) for imported, field, _ in binary.imports]
    members += [(module, field) for field, _, _ in binary.exports]
    for of, field in dict.fromkeys(members):
        yield f"#define {Today.member(of, field)} {Older.member(of, field)}"
