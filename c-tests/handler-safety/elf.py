"""Reads what the check needs from a 64-bit little-endian ELF shared library: symbols, dynamic relocations, contents.

A slot is a pointer-sized cell that the dynamic linker fills in before the first function of the library runs. Its value
is only trusted where nobody can change it later: in a read-only segment, or in the part that the dynamic linker
protects after relocation (PT_GNU_RELRO).
"""

import dataclasses
import struct

X86_64 = "x86_64"
AARCH64 = "aarch64"
_MACHINES = {62: X86_64, 183: AARCH64}

_PT_LOAD, _PT_GNU_RELRO = 1, 0x6474E552
_SHT_SYMTAB, _SHT_RELA, _SHT_NOBITS, _SHT_RELR = 2, 4, 8, 19
_SHF_EXECINSTR = 4
_PF_W = 2
_STT_NOTYPE, _STT_FUNC, _STT_GNU_IFUNC = 0, 2, 10
_DT_FLAGS, _DT_FLAGS_1, _DT_BIND_NOW = 30, 0x6FFFFFFB, 24
_DF_BIND_NOW, _DF_1_NOW = 8, 1

# What a relocation puts into its slot: the address of a symbol, an address in the library itself, or something of
# thread-local storage. The last is lazy if finding the variable may call into the dynamic linker.
SYMBOL, LOCAL, TLS_OFFSET, TLS_LAZY, OTHER = "symbol", "local", "tls-offset", "tls-lazy", "other"
_RELOCATIONS = {
    X86_64: {1: SYMBOL, 6: SYMBOL, 7: SYMBOL, 8: LOCAL, 16: TLS_LAZY, 17: TLS_LAZY, 18: TLS_OFFSET, 36: TLS_LAZY},
    AARCH64: {257: SYMBOL, 1025: SYMBOL, 1026: SYMBOL, 1027: LOCAL, 1028: TLS_LAZY, 1029: TLS_LAZY, 1030: TLS_OFFSET,
              1031: TLS_LAZY},
}


@dataclasses.dataclass(frozen=True)
class Slot:
    kind: str
    symbol: str  # the name, "" if the symbol is the library's own
    address: int  # of the library's own code or data, 0 if the symbol comes from outside


@dataclasses.dataclass
class Section:
    name: str
    address: int
    size: int
    executable: bool
    data: bytes


@dataclasses.dataclass
class Symbol:
    name: str
    address: int
    size: int


class Image:
    """What a file is in memory, by the sections that it has. `sections` is its readers' to fill in."""

    sections = ()

    def section_at(self, address):
        for section in self.sections:
            if section.address and section.address <= address < section.address + section.size:
                return section
        return None

    def is_code(self, address):
        section = self.section_at(address)
        return section is not None and section.executable

    def bytes_at(self, address, length):
        """Contents as in the file, before relocation; None outside of it."""
        section = self.section_at(address)
        if section is None or address - section.address + length > len(section.data):
            return None
        start = address - section.address
        return section.data[start:start + length]


class Library(Image):
    """One shared library. `functions` has every symbol of its own that may name code; sizes of assembly may be 0."""

    has_only_what_is_used = True

    def __init__(self, path: str):
        with open(path, "rb") as file:
            self._bytes = file.read()
        if self._bytes[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is not a 64-bit little-endian ELF file")
        (_, machine, _, _, phoff, shoff, _, _, phentsize, phnum, shentsize, shnum, shstrndx) = struct.unpack_from(
            "<HHIQQQIHHHHHH", self._bytes, 16)
        if machine not in _MACHINES:
            raise ValueError(f"{path} is for neither x86-64 nor aarch64")
        self.path = path
        self.machine = _MACHINES[machine]
        self._read_segments(phoff, phentsize, phnum)
        self._read_sections(shoff, shentsize, shnum, shstrndx)
        self.functions = self._read_functions()
        self.slots = self._read_slots()
        self.binds_now = self._read_binds_now()
        # Jumps to functions of other libraries, by address: objdump has names for them.
        self.thunks = {}

    def _read_segments(self, phoff, phentsize, phnum):
        self._read_only = []
        self._relro = []
        for index in range(phnum):
            place = phoff + index * phentsize
            kind, flags, _, address, _, _, size, _ = struct.unpack_from("<IIQQQQQQ", self._bytes, place)
            if kind == _PT_LOAD and not flags & _PF_W:
                self._read_only.append((address, address + size))
            elif kind == _PT_GNU_RELRO:
                self._relro.append((address, address + size))

    def _read_sections(self, shoff, shentsize, shnum, shstrndx):
        self._headers = [struct.unpack_from("<IIQQQQIIQQ", self._bytes, shoff + index * shentsize)
                         for index in range(shnum)]
        names = self._headers[shstrndx][4]
        self.sections = []
        for name, kind, flags, address, offset, size, _, _, _, _ in self._headers:
            data = b"" if kind == _SHT_NOBITS else self._bytes[offset:offset + size]
            self.sections.append(Section(self._string(names, name), address, size, bool(flags & _SHF_EXECINSTR), data))

    def _string(self, table_offset, index):
        start = table_offset + index
        return self._bytes[start:self._bytes.index(b"\0", start)].decode()

    def _symbols(self, section):
        """Of a symbol table: name, type, index of the section that it is in, value, size."""
        _, _, _, _, offset, size, link, _, _, entry = section
        strings = self._headers[link][4]
        for position in range(offset, offset + size, entry):
            name, info, _, index, value, length = struct.unpack_from("<IBBHQQ", self._bytes, position)
            yield self._string(strings, name), info & 15, index, value, length

    def _read_functions(self):
        found = []
        for header in self._headers:
            if header[1] != _SHT_SYMTAB:
                continue
            for name, kind, index, value, size in self._symbols(header):
                # "$x" and "$d" mark where code and data begin on aarch64; they name nothing.
                if not name or name.startswith("$") or index == 0 or index >= len(self.sections):
                    continue
                if kind in (_STT_NOTYPE, _STT_FUNC, _STT_GNU_IFUNC) and self.sections[index].executable:
                    found.append(Symbol(name, value, size))
        return found

    def _read_slots(self):
        slots = {}
        for header in self._headers:
            _, kind, _, _, offset, size, link, _, _, entry = header
            if kind == _SHT_RELR:
                raise ValueError(f"{self.path} has packed relative relocations (RELR), which this check does not read")
            # The relocations of a linked library; those in an object file have no symbol table of their own linked in.
            if kind != _SHT_RELA or not header[2] & 2:
                continue
            symbols = list(self._symbols(self._headers[link])) if link else []
            for position in range(offset, offset + size, entry):
                where, info, addend = struct.unpack_from("<QQq", self._bytes, position)
                kind_of = _RELOCATIONS[self.machine].get(info & 0xFFFFFFFF, OTHER)
                name, _, index, value, _ = symbols[info >> 32] if info >> 32 else ("", 0, 0, 0, 0)
                if kind_of == LOCAL:
                    slots[where] = Slot(LOCAL, "", addend & (1 << 64) - 1)
                elif kind_of == SYMBOL and index != 0:
                    # Defined here. It may be overridden from outside all the same, so the name stays.
                    slots[where] = Slot(SYMBOL, name, value + addend)
                else:
                    slots[where] = Slot(kind_of, name, 0)
        return slots

    def _read_binds_now(self):
        for section in self.sections:
            if section.name == ".dynamic":
                for tag, value in struct.iter_unpack("<QQ", section.data[:len(section.data) // 16 * 16]):
                    if tag == _DT_BIND_NOW or (tag == _DT_FLAGS and value & _DF_BIND_NOW):
                        return True
                    if tag == _DT_FLAGS_1 and value & _DF_1_NOW:
                        return True
        return False

    def is_constant(self, address):
        """True where the running library cannot write."""
        return any(low <= address < high for low, high in self._read_only + self._relro)
