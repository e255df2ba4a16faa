"""A trap in the words of the demonstration's table: what make run's C host prints, of a wasmtrap.Trap."""

import collections
import itertools
import os
import sys

# As many frames as the C host asks for.
FRAMES_SHOWN = 16

Words = collections.namedtuple("Words", "trap address access frames")
Expectation = collections.namedtuple("Expectation", "module called words")


def expectations(path):
    """The rows of expected_traps.txt: columns with bars between them, below the name of their module in brackets."""
    module = None
    with open(path, encoding="utf-8") as file:
        for line in map(str.strip, file):
            if line.startswith("["):
                module = line.strip("[]")
            elif line and not line.startswith("#"):
                called, *words = (column.strip() for column in line.split("|"))
                yield Expectation(module, called, Words(*words))


def frames_in_words(trap):
    """Innermost first, without those that the compiler added and those of the host outside of all WebAssembly."""
    frames = list(trap.frames[:FRAMES_SHOWN])
    while frames and frames[-1].function is None:
        frames.pop()
    names = ["(host)" if frame.module is None else frame.function for frame in frames]
    groups = [(name, len(list(group))) for name, group in itertools.groupby(names) if name is not None]
    words = " < ".join(name if times == 1 else f"{name} x{times}" for name, times in groups)
    return words + (" ..." if trap.truncated or len(trap.frames) > FRAMES_SHOWN else "")


def words_of(trap):
    name = trap.name if trap.code < 0x1000 else f"{trap.name} 0x{trap.code:x}"
    if trap.address is None:
        return Words(name, "-", "-", frames_in_words(trap))
    return Words(name, f"0x{trap.address:x}", trap.access, frames_in_words(trap))


def place_of(trap):
    """The innermost WebAssembly function, and the offset in its module's code."""
    for frame in trap.frames[:FRAMES_SHOWN]:
        if frame.function is not None:
            return frame.function, f"0x{frame.offset:x}"
    return "-", "-"


# ---- The table ----

ROW = "  {:15}  {}{:29}{}  {:>7}  {:11}  {:6}  {}"
FRAMES_COLUMN = 80
WIDTH = 120
BOLD, RED, YELLOW = 1, 31, 33


def colour(number):
    """What switches to a colour and back: on a terminal, and not where NO_COLOR is set (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb" or not sys.stdout.isatty():
        return "", ""
    return f"\033[{number}m", "\033[0m"


def heading(module, about):
    lines = ("-" * 15, "-" * 29, "-" * 7, "-" * 11, "-" * 6, "-" * 40)
    titles = ROW.format("function", "", "trap", "", "offset", "address", "access", "frames, innermost first")
    bold, plain = colour(BOLD)
    return f"\n{bold}{module}{plain}: {about}\n\n{titles}\n{ROW.format(lines[0], '', lines[1], '', *lines[2:])}"


def row(function, offset, words, number=RED):
    """A row, with the trap in a colour, and with the frames on as many lines as they need."""
    lines, line = [], ""
    parts = words.frames.split(" < ")
    for part in [f"{part} < " for part in parts[:-1]] + parts[-1:]:
        if line and FRAMES_COLUMN + len(line) + len(part) > WIDTH + 1:
            lines.append(line)
            line = ""
        line += part
    frames = f"\n{'':{FRAMES_COLUMN}}".join([*lines, line])
    begin, end = colour(number)
    return ROW.format(function, begin, words.trap, end, offset, words.address, words.access, frames)
