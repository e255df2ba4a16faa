"""Reads what the check needs from a DLL for Windows, on x86-64 or arm64, with the same surface as elf.Library.

A slot is a pointer-sized cell that the loader fills in before the first function of the DLL runs: an entry of the table
of imports, or a cell with a base relocation. GNU ld leaves the table of imports writable; who writes to it means to
change what the process calls, and is taken for granted like a debugger.
"""

import struct

from elf import AARCH64, LOCAL, SYMBOL, X86_64, Image, Section, Slot, Symbol

_MACHINES = {0x8664: X86_64, 0xAA64: AARCH64}
_SCN_CODE, _SCN_WRITE = 0x20, 0x80000000
_CLASS_EXTERNAL, _CLASS_STATIC, _CLASS_LABEL = 2, 3, 6
_DIRECTORY_IMPORT, _DIRECTORY_EXCEPTION, _DIRECTORY_RELOCATION, _DIRECTORY_DELAY_IMPORT = 1, 3, 5, 13
_RELOCATION_DIR64 = 10


def is_pe(path):
    with open(path, "rb") as file:
        return file.read(2) == b"MZ"


class Library(Image):
    """One DLL. `functions` has every symbol of its own that may name code; the size is that of its unwind information,
    and 0 where it has none. `thunks` are jumps to imports, by address: they are these, and no functions."""

    # Functions with unwind information are kept by it, and what they lead to.
    has_only_what_is_used = False

    def __init__(self, path: str):
        with open(path, "rb") as file:
            self._bytes = file.read()
        header = struct.unpack_from("<I", self._bytes, 0x3C)[0]
        if self._bytes[header:header + 4] != b"PE\0\0":
            raise ValueError(f"{path} is not a PE file")
        (machine, section_count, _, symbols, symbol_count, optional_size, _) = struct.unpack_from(
            "<HHIIIHH", self._bytes, header + 4)
        optional = header + 24
        if machine not in _MACHINES or struct.unpack_from("<H", self._bytes, optional)[0] != 0x20B:
            raise ValueError(f"{path} is for neither x86-64 nor arm64")
        self.path = path
        self.machine = _MACHINES[machine]
        self._base = struct.unpack_from("<Q", self._bytes, optional + 24)[0]
        count = struct.unpack_from("<I", self._bytes, optional + 108)[0]
        self._directories = [struct.unpack_from("<II", self._bytes, optional + 112 + 8 * index)
                             for index in range(count)]
        self._read_sections(optional + optional_size, section_count, symbols + 18 * symbol_count)
        self.slots = {**self._read_imports(), **self._read_relocations()}
        self.thunks = {}
        self.functions = self._read_functions(symbols, symbol_count)
        # Imports are found when the DLL is loaded, but for those of delay-load tables.
        self.binds_now = self._directory(_DIRECTORY_DELAY_IMPORT) == (0, 0)

    def _directory(self, index):
        return self._directories[index] if index < len(self._directories) else (0, 0)

    def _read_sections(self, place, count, strings):
        self._strings = strings
        self.sections, self._read_only = [], []
        for index in range(count):
            name, size, address, file_size, offset, _, _, _, _, flags = struct.unpack_from(
                "<8sIIIIIIHHI", self._bytes, place + 40 * index)
            name = name.rstrip(b"\0").decode()
            if name.startswith("/"):
                name = self._string(strings + int(name[1:]))
            start = self._base + address
            data = self._bytes[offset:offset + min(size, file_size)] if offset else b""
            self.sections.append(Section(name, start, size, bool(flags & _SCN_CODE), data))
            if not flags & _SCN_WRITE:
                self._read_only.append((start, start + size))

    def _string(self, start):
        return self._bytes[start:self._bytes.index(b"\0", start)].decode()

    def _at(self, address, form):
        """What is at an address relative to the image's base."""
        data = self.bytes_at(self._base + address, struct.calcsize(form))
        if data is None:
            raise ValueError(f"{self.path}: nothing at {address:#x}")
        return struct.unpack(form, data)

    def _name_at(self, address):
        section = self.section_at(self._base + address)
        start = self._base + address - section.address
        return section.data[start:section.data.index(b"\0", start)].decode()

    def _read_imports(self):
        slots, self._imports = {}, []
        place, _ = self._directory(_DIRECTORY_IMPORT)
        while place:
            names, _, _, dll, table = self._at(place, "<IIIII")
            if not dll:
                break
            index = 0
            while (name := self._at((names or table) + 8 * index, "<Q")[0]) != 0:
                by_ordinal = name >> 63
                words = f"{self._name_at(dll)}#{name & 0xFFFF}" if by_ordinal else self._name_at(name + 2)
                slots[self._base + table + 8 * index] = Slot(SYMBOL, words, 0)
                index += 1
            self._imports.append((self._base + table, self._base + table + 8 * index))
            place += 20
        return slots

    def _read_relocations(self):
        slots = {}
        place, size = self._directory(_DIRECTORY_RELOCATION)
        end = place + size
        while place < end:
            page, length = self._at(place, "<II")
            for index in range((length - 8) // 2):
                entry, = self._at(place + 8 + 2 * index, "<H")
                if entry >> 12 == _RELOCATION_DIR64:
                    where = page + (entry & 0xFFF)
                    slots[self._base + where] = Slot(LOCAL, "", self._at(where, "<Q")[0])
            place += length
        return slots

    def _read_functions(self, symbols, count):
        sizes = dict(self._sizes_on_arm64() if self.machine == AARCH64 else self._sizes_on_x86_64())
        found, index = [], 0
        while index < count:
            name, value, number, _, kind, extra = struct.unpack_from("<8sIhHBB", self._bytes, symbols + 18 * index)
            index += 1 + extra
            if kind not in (_CLASS_EXTERNAL, _CLASS_STATIC, _CLASS_LABEL) or not 0 < number <= len(self.sections):
                continue
            offset = struct.unpack_from("<II", name)
            name = self._string(self._strings + offset[1]) if offset[0] == 0 else name.rstrip(b"\0").decode()
            section = self.sections[number - 1]
            # Names of sections, and defaults of weak symbols, begin with a dot.
            if not section.executable or name.startswith(".") or value >= section.size:
                continue
            address = section.address + value
            if (target := self._import_behind(address)) is not None:
                self.thunks[address] = target
            else:
                found.append(Symbol(name, address, sizes.get(address, 0)))
        return found

    def _sizes_on_x86_64(self):
        place, size = self._directory(_DIRECTORY_EXCEPTION)
        for index in range(size // 12):
            begin, end, _ = self._at(place + 12 * index, "<III")
            yield self._base + begin, end - begin

    def _sizes_on_arm64(self):
        """The second word of an entry is the unwind information itself, if its lower bits are not 0, else where it is.
        Lengths are in instructions."""
        place, size = self._directory(_DIRECTORY_EXCEPTION)
        for index in range(size // 8):
            begin, data = self._at(place + 8 * index, "<II")
            length = data >> 2 & 0x7FF if data & 3 else self._at(data, "<I")[0] & 0x3FFFF
            yield self._base + begin, 4 * length

    def _import_behind(self, address):
        """The import that the code at an address jumps to at once, if it does."""
        behind = self._jump_on_arm64 if self.machine == AARCH64 else self._jump_on_x86_64
        slot = self.slots.get(behind(address))
        return slot.symbol if slot is not None and not slot.address else None

    def _jump_on_x86_64(self, address):
        """jmp *(%rip)"""
        data = self.bytes_at(address, 6)
        if data is None or data[:2] != b"\xff\x25":
            return None
        return address + 6 + struct.unpack("<i", data[2:])[0]

    def _jump_on_arm64(self, address):
        """adrp x16, ...; ldr x16, [x16, ...]; br x16"""
        data = self.bytes_at(address, 12)
        if data is None:
            return None
        page, load, branch = struct.unpack("<III", data)
        if page & 0x9F00001F != 0x90000010 or load & 0xFFC003FF != 0xF9400210 or branch != 0xD61F0200:
            return None
        distance = (page >> 5 & 0x7FFFF) << 2 | page >> 29 & 3
        distance -= (distance & 1 << 20) << 1
        return (address & ~0xFFF) + (distance << 12) + (load >> 10 & 0xFFF) * 8

    def is_constant(self, address):
        """True where the running DLL does not write."""
        return any(low <= address < high for low, high in self._read_only + self._imports)
