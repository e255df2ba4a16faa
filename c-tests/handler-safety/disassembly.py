"""Disassembles a library with objdump and cuts it into functions by its symbol table."""

import bisect
import dataclasses
import re
import subprocess


@dataclasses.dataclass
class Instruction:
    address: int
    end: int
    mnemonic: str
    operands: list[str]
    note: str  # what objdump says after '#' or in angle brackets


@dataclasses.dataclass(eq=False)
class Function:
    """Code from one symbol's address to its end. `names` are all symbols at that address, demangled."""

    names: list[str]
    start: int
    end: int
    instructions: list[Instruction]

    @property
    def name(self):
        return self.names[0]

    def __contains__(self, address):
        return self.start <= address < self.end


class Code:
    """All functions of a library. Entries of the procedure linkage table go under `plt`, by address."""

    def __init__(self, library, tools=""):
        self.functions = []
        self.plt = dict(library.thunks)
        instructions = _disassemble(library.path, tools + "objdump", self.plt)
        addresses = [instruction.address for instruction in instructions]
        demangle = _demangle([symbol.name for symbol in library.functions], tools + "c++filt")

        sized = [(symbol.address, symbol.address + symbol.size) for symbol in library.functions if symbol.size]
        by_address = {}
        for symbol in library.functions:
            # A label inside a function is a place in that function, not a function.
            if symbol.size or not any(low < symbol.address < high for low, high in sized):
                by_address.setdefault(symbol.address, []).append(symbol)
        starts = sorted(by_address)
        for index, start in enumerate(starts):
            symbols = by_address[start]
            size = max(symbol.size for symbol in symbols)
            section = library.section_at(start)
            following = starts[index + 1] if index + 1 < len(starts) else section.address + section.size
            # Assembly may leave its size out: its code goes on to the next symbol.
            end = start + size if size else min(following, section.address + section.size)
            # Longer names first: an exported alias says less than the path of the Rust function.
            names = sorted({demangle[symbol.name] for symbol in symbols}, key=lambda name: (-len(name), name))
            own = instructions[bisect.bisect_left(addresses, start):bisect.bisect_left(addresses, end)]
            self.functions.append(Function(names, start, end, own))
        self._starts = starts

    def function_at(self, address):
        index = bisect.bisect_right(self._starts, address) - 1
        return self.functions[index] if index >= 0 and address in self.functions[index] else None


_LINE = re.compile(r"^\s*([0-9a-f]+):\t(.*)$")
_PLT_LABEL = re.compile(r"^([0-9a-f]+) <(.+)@plt>:$")
_PREFIXES = {"bnd", "notrack", "data16", "lock", "rep", "repz", "repnz", "cs", "ds", "es", "fs", "gs", "ss", "addr32"}


def _disassemble(path, objdump, plt):
    command = [objdump, "--disassemble", "--disassemble-zeroes", "--no-show-raw-insn", "--wide", path]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    instructions = []
    for line in text.splitlines():
        label = _PLT_LABEL.match(line)
        if label:
            plt[int(label[1], 16)] = label[2]
            continue
        match = _LINE.match(line)
        if match:
            instruction = _parse(int(match[1], 16), match[2])
            if instructions and instructions[-1].end == 0:
                instructions[-1].end = instruction.address
            instructions.append(instruction)
    if instructions:
        instructions[-1].end = instructions[-1].address + 1
    return instructions


def _parse(address, text):
    # objdump puts what it knows of an operand after '#' (x86-64) or '//' (aarch64), and symbols in angle brackets.
    text, *note = re.split(r"\s(?:#|//)\s", text, maxsplit=1)
    text, _, symbol = text.partition("<")
    words = text.split()
    while len(words) > 1 and (words[0] in _PREFIXES or words[0].startswith("rex")):
        prefix = words.pop(0)
        if prefix.startswith("rep"):
            words[0] = "rep_" + words[0]
    mnemonic = words[0] if words else "(bad)"
    return Instruction(address, 0, mnemonic, _split_operands(" ".join(words[1:])),
                       note[0] if note else symbol)


def _split_operands(text):
    operands, depth, current = [], 0, ""
    for character in text:
        depth += character in "([{"
        depth -= character in ")]}"
        if character == "," and depth == 0:
            operands.append(current.strip())
            current = ""
        else:
            current += character
    return operands + [current.strip()] if current.strip() else operands


def _demangle(names, filt):
    """Rust's names in full, less the hashes that only tell builds apart."""
    unique = sorted(set(names))
    lines = "".join(name + "\n" for name in unique)
    run = subprocess.run([filt, "--format=auto"], input=lines, stdout=subprocess.PIPE, check=True, text=True)
    demangled = {}
    for name, readable in zip(unique, run.stdout.splitlines(), strict=True):
        readable = re.sub(r"::h[0-9a-f]{16}$", "", readable)
        if name.startswith("_R"):
            readable = re.sub(r"(?<=\w)\[[0-9a-f]+\]", "", readable)
        demangled[name] = readable
    return demangled
