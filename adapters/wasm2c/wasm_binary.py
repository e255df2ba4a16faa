"""Reads from a WebAssembly binary what its C translation does not tell: signatures, imports, exports, names.

Only what the C translation needs is decoded; the binary is one that wasm2c has accepted.
"""

FUNCTION, TABLE, MEMORY, GLOBAL, TAG = range(5)
# Flags of limits.
HAS_MAXIMUM, HAS_PAGE_SIZE = 1, 8


def c_string(text):
    plain = range(0x20, 0x7F)
    return '"' + "".join(chr(b) if b in plain and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode()) + '"'


class Reader:
    def __init__(self, data, position=0):
        self.data = data
        self.position = position

    def at_end(self):
        return self.position >= len(self.data)

    def byte(self):
        self.position += 1
        return self.data[self.position - 1]

    def number(self):
        """An unsigned LEB128 number."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, length):
        self.position += length
        return self.data[self.position - length : self.position]

    def name(self):
        return self.take(self.number()).decode()

    def vector(self, element):
        return [element() for _ in range(self.number())]

    def value_type(self):
        """The first byte of one; those of typed references have a heap type behind it, which is skipped."""
        first = self.byte()
        if first in (0x63, 0x64):
            self.number()
        return first

    def value_types(self):
        return bytes(self.vector(self.value_type))

    def limits(self):
        flags = self.byte()
        self.number()
        if flags & HAS_MAXIMUM:
            self.number()
        if flags & HAS_PAGE_SIZE:
            self.number()


class Module:
    """types: [(params, results)] as bytes; functions: the type of each function, imported ones first;
    imports: [(module, field, kind)]; exports: [(field, kind, index)]; names: {function index: name}."""

    def __init__(self, data):
        self.types, self.functions, self.imports, self.exports, self.names = [], [], [], [], {}
        reader = Reader(data, 8)
        while not reader.at_end():
            section = reader.byte()
            contents = Reader(reader.take(reader.number()))
            if section == 0:
                self._custom(contents)
            elif section in SECTIONS:
                SECTIONS[section](self, contents)
        self.imported_functions = sum(kind == FUNCTION for _, _, kind in self.imports)

    def _types(self, reader):
        def signature():
            reader.byte()
            return reader.value_types(), reader.value_types()

        self.types = reader.vector(signature)

    def _imports(self, reader):
        def one():
            module, field, kind = reader.name(), reader.name(), reader.byte()
            if kind == FUNCTION:
                self.functions.append(reader.number())
            elif kind == TABLE:
                reader.value_type()
                reader.limits()
            elif kind == MEMORY:
                reader.limits()
            elif kind == GLOBAL:
                reader.value_type()
                reader.byte()
            else:  # a tag: attribute and type
                reader.byte()
                reader.number()
            return module, field, kind

        self.imports = reader.vector(one)

    def _functions(self, reader):
        self.functions += reader.vector(reader.number)

    def _exports(self, reader):
        self.exports = reader.vector(lambda: (reader.name(), reader.byte(), reader.number()))

    def _custom(self, reader):
        if reader.name() != "name":
            return
        while not reader.at_end():
            subsection = reader.byte()
            contents = Reader(reader.take(reader.number()))
            if subsection == 1:
                self.names = dict(contents.vector(lambda: (contents.number(), contents.name())))

    def function_name(self, index):
        """The function's name in the module, else the first that it is exported by, else func[INDEX]."""
        exported = [field for field, kind, target in self.exports if kind == FUNCTION and target == index]
        return self.names.get(index) or (exported or [f"func[{index}]"])[0]


SECTIONS = {1: Module._types, 2: Module._imports, 3: Module._functions, 7: Module._exports}


def read(path):
    with open(path, "rb") as file:
        return Module(file.read())
