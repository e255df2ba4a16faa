"""Reads the unwind tables of a Mach-O image as macOS's unwinder does, and says what is wrong with them.

    unwind_info.py IMAGE...
    unwind_info.py --finds WORDS IMAGE      fails unless something is wrong that is told with these words

libunwind looks an address up in `__unwind_info`: the entry that starts last before it has an encoding, which says how
to unwind, or names an entry of `__eh_frame` that does (LLVM's libunwind: compact_unwind_encoding.h, and
UnwindCursor::getInfoFromCompactEncodingSection). An entry holds up to the next one's start, whoever's code that is:
where an address of a function is covered by an entry that is not its own, an exception that passes ends in abort.

What must hold for each function, from its start to its end:

- one entry covers all of it, and has an encoding: 0 means that there is nothing to unwind by;
- no symbol lies in the middle of a function, where ld64 and LLD start an entry of their own. Ends of functions are
  known from `__eh_frame`, and where that is silent from the next symbol;
- an encoding that names an entry of `__eh_frame` names the function's: the same start, no end beyond the next
  function's start, and the same table of cleanups (LSDA);
- all of that table's call sites and landing pads are in the function;
- where an encoding describes a frame by the frame pointer, the function makes one.
"""

import dataclasses
import pathlib
import re
import struct
import sys

LC_SEGMENT_64, LC_SYMTAB = 0x19, 0x2
CPU_TYPES = {0x0100000C: "aarch64", 0x01000007: "x86_64"}
N_STAB, N_TYPE, N_SECT = 0xE0, 0x0E, 0x0E

# compact_unwind_encoding.h
MODE, HAS_LSDA, PERSONALITY, NOT_FUNCTION_START = 0x0F000000, 0x40000000, 0x30000000, 0x80000000
DWARF_MODE = {"aarch64": 0x03000000, "x86_64": 0x04000000}
DWARF_OFFSET = 0x00FFFFFF
FRAME_MODE = {"aarch64": 0x04000000, "x86_64": 0x01000000}
SECOND_LEVEL_REGULAR, SECOND_LEVEL_COMPRESSED = 2, 3

# Between functions: nothing, int3, and what assemblers use as nops on x86-64.
PADDING = re.compile(rb"(?:\0|\xcc|\x66*\x90|\x66*\x2e?\x0f\x1f(?:\x84\0{5}|\x80\0{4}|\x44\0\0|\x40\0|\0))*")

# DW_EH_PE_*
OMIT, PC_RELATIVE, INDIRECT = 0xFF, 0x10, 0x80
ABSOLUTE, ULEB128, UDATA2, UDATA4, UDATA8, SLEB128, SDATA2, SDATA4, SDATA8 = 0, 1, 2, 3, 4, 9, 10, 11, 12


class Reader:
    """Bytes that are at an address."""

    def __init__(self, data, address):
        self.data, self.base, self.at = data, address, 0

    def number(self, form):
        (value,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def uleb128(self):
        value = shift = 0
        while True:
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def sleb128(self):
        value = shift = 0
        while True:
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value - (1 << shift) if byte & 0x40 else value

    def encoded(self, encoding):
        """A pointer in DWARF's encoding; of an indirect one, where it stands."""
        if encoding == OMIT:
            return None
        place = self.base + self.at
        forms = {ABSOLUTE: "Q", UDATA2: "H", UDATA4: "I", UDATA8: "Q", SDATA2: "h", SDATA4: "i", SDATA8: "q"}
        kind = encoding & 0x0F
        if kind == ULEB128:
            value = self.uleb128()
        elif kind == SLEB128:
            value = self.sleb128()
        else:
            value = self.number(forms[kind])
        if value and encoding & 0x70 == PC_RELATIVE:
            value = (value + place) % 2**64
        return value


@dataclasses.dataclass(frozen=True)
class Entry:
    """Of __unwind_info: it covers from start to end."""

    start: int
    end: int
    encoding: int
    lsda: int | None


@dataclasses.dataclass(frozen=True)
class Frame:
    """A description of __eh_frame."""

    start: int
    end: int
    lsda: int | None
    personality: int | None


class Image:
    def __init__(self, data):
        self.data = data
        magic, cpu_type = struct.unpack_from("<2I", data)
        if magic != 0xFEEDFACF:
            raise ValueError("no Mach-O file of 64 bits")
        self.architecture = CPU_TYPES[cpu_type]
        self.sections, self.symbols, self.base = {}, [], 0
        commands = struct.unpack_from("<I", data, 16)[0]
        at = 32
        for _ in range(commands):
            command, size = struct.unpack_from("<2I", data, at)
            if command == LC_SEGMENT_64:
                self._read_segment(at)
            elif command == LC_SYMTAB:
                self._read_symbols(at)
            at += size

    def _read_segment(self, at):
        name = self.data[at + 8:at + 24].rstrip(b"\0").decode()
        if name == "__TEXT":
            self.base = struct.unpack_from("<Q", self.data, at + 24)[0]
        for number in range(struct.unpack_from("<I", self.data, at + 64)[0]):
            place = at + 72 + 80 * number
            section = self.data[place:place + 16].rstrip(b"\0").decode()
            segment = self.data[place + 16:place + 32].rstrip(b"\0").decode()
            address, size, offset = struct.unpack_from("<QQI", self.data, place + 32)
            self.sections[segment, section] = address, self.data[offset:offset + size]

    def _read_symbols(self, at):
        symbols, count, strings, _ = struct.unpack_from("<4I", self.data, at + 8)
        for number in range(count):
            name, kind, _, _, value = struct.unpack_from("<IBBHQ", self.data, symbols + 16 * number)
            if not kind & N_STAB and kind & N_TYPE == N_SECT:
                end = self.data.index(b"\0", strings + name)
                self.symbols.append((value, self.data[strings + name:end].decode()))

    def section(self, name, segment="__TEXT"):
        return self.sections.get((segment, name), (0, b""))

    def functions(self):
        """[(start, name)] in the order of addresses. rustc marks the ends of naked functions with symbols, which are
        no functions."""
        address, code = self.section("__text")
        found = {}
        for value, name in self.symbols:
            if address <= value < address + len(code) and not name.startswith(".Lfunc_end"):
                found.setdefault(value, name)
        return sorted(found.items())

    def entries(self):
        """The entries of __unwind_info, in their order."""
        _, table = self.section("__unwind_info")
        if not table:
            return []
        version, common, common_count, _, _, index, index_count = struct.unpack_from("<7I", table)
        if version != 1:
            raise ValueError(f"__unwind_info of version {version}")
        commons = struct.unpack_from(f"<{common_count}I", table, common)
        tops = [struct.unpack_from("<3I", table, index + 12 * number) for number in range(index_count)]
        lsdas = {}
        for number in range(tops[0][2], tops[-1][2], 8):
            function, lsda = struct.unpack_from("<2I", table, number)
            lsdas[function] = lsda
        starts = []
        for function, page, _ in tops[:-1]:
            starts += self._page(table, page, function, commons)
        ends = [start for start, _ in starts[1:]] + [tops[-1][0]]
        return [Entry(self.base + start, self.base + end, encoding,
                      self.base + lsdas[start] if start in lsdas else None)
                for (start, encoding), end in zip(starts, ends)]

    @staticmethod
    def _page(table, page, function, commons):
        (kind,) = struct.unpack_from("<I", table, page)
        if kind == SECOND_LEVEL_REGULAR:
            first, count = struct.unpack_from("<2H", table, page + 4)
            return [struct.unpack_from("<2I", table, page + first + 8 * number) for number in range(count)]
        if kind != SECOND_LEVEL_COMPRESSED:
            raise ValueError(f"a second-level page of kind {kind}")
        first, count, encodings, encoding_count = struct.unpack_from("<4H", table, page + 4)
        every = commons + struct.unpack_from(f"<{encoding_count}I", table, page + encodings)
        words = struct.unpack_from(f"<{count}I", table, page + first)
        return [(function + (word & 0xFFFFFF), every[word >> 24]) for word in words]

    def frames(self):
        """{offset in __eh_frame: its description}"""
        address, table = self.section("__eh_frame")
        commons, found = {}, {}
        at = 0
        while at + 4 <= len(table):
            (length,) = struct.unpack_from("<I", table, at)
            if length == 0:
                break
            reader = Reader(table[at + 4:at + 4 + length], address + at + 4)
            back = reader.number("I")
            if back == 0:
                commons[at] = self._common(reader)
            else:
                found[at] = self._frame(reader, commons[at + 4 - back])
            at += 4 + length
        return found

    @staticmethod
    def _common(reader):
        """The encodings of start, LSDA, and the personality routine."""
        reader.number("B")
        augmentation = b""
        while (byte := reader.number("B")) != 0:
            augmentation += bytes([byte])
        reader.uleb128()
        reader.sleb128()
        reader.uleb128()
        start, lsda, personality = ABSOLUTE, OMIT, None
        if augmentation.startswith(b"z"):
            reader.uleb128()
            for letter in augmentation[1:].decode():
                if letter == "R":
                    start = reader.number("B")
                elif letter == "L":
                    lsda = reader.number("B")
                elif letter == "P":
                    personality = reader.encoded(reader.number("B"))
        return start, lsda, personality

    @staticmethod
    def _frame(reader, common):
        start_encoding, lsda_encoding, personality = common
        start = reader.encoded(start_encoding)
        length = reader.encoded(start_encoding & 0x0F)
        lsda = None
        if reader.uleb128():
            lsda = reader.encoded(lsda_encoding) or None
        return Frame(start, start + length, lsda, personality)

    def call_sites(self, lsda):
        """[(start, length, landing pad)] of a table of cleanups, from the function's start on; a pad of 0 is none."""
        address, table = self.section("__gcc_except_tab")
        if not address <= lsda < address + len(table):
            raise ValueError("a table of cleanups that is not in __gcc_except_tab")
        reader = Reader(table, address)
        reader.at = lsda - address
        if reader.number("B") != OMIT:
            raise ValueError("landing pads that are not relative to the function")
        if reader.number("B") != OMIT:
            reader.uleb128()
        encoding = reader.number("B")
        end = reader.uleb128() + reader.at
        sites = []
        while reader.at < end:
            start, length, pad = (reader.encoded(encoding) for _ in range(3))
            reader.uleb128()
            sites.append((start, length, pad))
        return sites


@dataclasses.dataclass
class Proof:
    """What was looked at, and what is wrong."""

    functions: int = 0
    by_frame: int = 0
    by_encoding: int = 0
    cleanups: int = 0
    wrong: list = dataclasses.field(default_factory=list)

    def complain(self, name, start, what):
        self.wrong.append(f"{name} at {start:#x}: {what}")


def makes_its_frame(image, start, end):
    """Whether a function makes the frame that its encoding describes, if that is one by the frame pointer: push rbp and
    mov rbp, rsp, or stp x29, x30 to the stack. The compiler may put that behind an early way out."""
    address, text = image.section("__text")
    code = text[start - address:end - address]
    if image.architecture == "x86_64":
        return b"\x55\x48\x89\xe5" in code or b"\x55\x48\x8b\xec" in code
    words = struct.unpack(f"<{len(code) // 4}I", code[:len(code) // 4 * 4])
    return any(word & 0xFE407FFF == 0xA8007BFD for word in words)


def prove(image, counts=lambda name: True):
    """The unwind information of every function whose name counts."""
    proof = Proof()
    functions, entries, frames = image.functions(), image.entries(), image.frames()
    address, code = image.section("__text")
    names = dict(functions)

    def is_padding(start, end):
        return PADDING.fullmatch(code[start - address:end - address])

    by_start = {frame.start: frame for frame in frames.values()}
    ends = [start for start, _ in functions[1:]] + [address + len(code)]
    for (start, name), end in zip(functions, ends):
        if not counts(name):
            continue
        proof.functions += 1
        # A symbol in the middle of what __eh_frame has as one function cuts it in two.
        inside = [frame for frame in frames.values() if frame.start < start < frame.end]
        for frame in inside:
            proof.complain(name, start, f"lies in the middle of {names.get(frame.start, hex(frame.start))}")
        if start in by_start and by_start[start].end > end:
            proof.complain(name, start, f"ends at {by_start[start].end:#x}, behind the next symbol at {end:#x}")
        covering = [entry for entry in entries if entry.start < end and start < entry.end]
        if not covering or covering[0].start > start:
            proof.complain(name, start, "no entry covers its start")
            continue
        entry = covering[0]
        for other in covering[1:]:
            # What is between functions is nobody's.
            if other.start >= by_start.get(start, Frame(0, end, None, None)).end or is_padding(other.start, end):
                continue
            proof.complain(name, start, f"another entry, of {other.encoding:#x}, covers it from {other.start:#x} on")
        # Nothing but the padding behind the last function may be left over.
        if entry.end < end and len(covering) == 1 and not is_padding(entry.end, end):
            proof.complain(name, start, f"its entry ends at {entry.end:#x}")
        check_entry(proof, image, frames, by_start, name, start, end, entry)
    return proof


def check_entry(proof, image, frames, by_start, name, start, end, entry):
    encoding = entry.encoding
    if encoding & MODE == 0:
        proof.complain(name, start, f"there is nothing to unwind by (encoding {encoding:#x})")
        return
    lsda = entry.lsda
    if encoding & MODE == DWARF_MODE[image.architecture]:
        proof.by_frame += 1
        frame = frames.get(encoding & DWARF_OFFSET)
        if frame is None or frame.start != start:
            proof.complain(name, start, f"encoding {encoding:#x} names no description of it")
            return
        if entry.start != start:
            proof.complain(name, start, "shares an entry with another function")
        if frame.lsda != lsda:
            proof.complain(name, start, f"its tables of cleanups differ: {lsda} and {frame.lsda}")
        if frame.lsda and not frame.personality:
            proof.complain(name, start, "has a table of cleanups, and nobody to read it")
        end = frame.end
    else:
        proof.by_encoding += 1
        if start in by_start:
            proof.complain(name, start, "has a description in __eh_frame that its encoding does not name")
        if bool(encoding & HAS_LSDA) != (lsda is not None):
            proof.complain(name, start, "its encoding and the index do not agree on a table of cleanups")
        if lsda is not None and not encoding & PERSONALITY:
            proof.complain(name, start, "has a table of cleanups, and nobody to read it")
        if encoding & MODE == FRAME_MODE[image.architecture] and not makes_its_frame(image, start, end):
            proof.complain(name, start, f"encoding {encoding:#x} describes a frame that it does not make")
    if lsda is not None:
        check_cleanups(proof, image, name, start, end, lsda)


def check_cleanups(proof, image, name, start, end, lsda):
    proof.cleanups += 1
    try:
        sites = image.call_sites(lsda)
    except ValueError as error:
        proof.complain(name, start, error)
        return
    if not any(pad for _, _, pad in sites):
        proof.complain(name, start, "its table of cleanups names no landing pad")
    for first, length, pad in sites:
        if start + first + length > end or start + pad >= end:
            proof.complain(name, start, f"the call site at {first:#x} or its landing pad {pad:#x} is not in it")


def main():
    failed = 0
    if sys.argv[1:2] == ["--finds"]:
        words, path = sys.argv[2:]
        return 0 if any(words in line for line in prove(Image(pathlib.Path(path).read_bytes())).wrong) else 1
    for path in sys.argv[1:]:
        proof = prove(Image(pathlib.Path(path).read_bytes()))
        print(f"{path}: {proof.functions} functions, {proof.by_frame} by __eh_frame, {proof.by_encoding} by their "
              f"encoding, {proof.cleanups} with cleanups; {len(proof.wrong)} wrong")
        for line in proof.wrong:
            print(f"  {line}")
        failed |= bool(proof.wrong)
    return failed


if __name__ == "__main__":
    sys.exit(main())
