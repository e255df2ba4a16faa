#!/usr/bin/env python3
"""The demonstration of `make run`, in Python: the same modules, the same traps, the same table as the C host's.

    demo.py MODULES expected_traps.txt sample.png

The exit status is 0 if everything was as expected_traps.txt has it.
"""

import pathlib
import sys

import wasmtrap
from demo_table import YELLOW, expectations, heading, place_of, row, words_of

WIDTH, HEIGHT, CHANNELS = 256, 192, 3
PIXELS = bytes(value & 0xFF for y in range(HEIGHT) for x in range(WIDTH) for value in (x ^ y, x + y, x * y))


def refuse():
    """The import of traps.wat."""
    raise wasmtrap.Trap("refused", code=wasmtrap.CODE_USER + 1)


class Traps:
    about = "a module of our own, which traps in every way that WebAssembly has"

    def __init__(self, modules):
        self.instance = wasmtrap.load(modules / "traps.so").instantiate({"host": {"refuse": refuse}})
        self.calls = 0

    def run(self, name):
        self.instance.call(name)

    def goes_on(self):
        self.calls += 1
        return self.instance.call("go_on") == self.calls


class Png:
    about = "libspng, a PNG decoder, as others ship it; made to work past the end of its memory"

    def __init__(self, modules, sample):
        self.module = wasmtrap.load(modules / "png.so")
        self.sample = sample

    def decode(self, cut_off=False, too_small=False):
        # A JavaScript host would look at the memory anew.
        png = self.module.instantiate({"env": {"emscripten_notify_memory_growth": lambda memory: None}})
        png.call("_initialize")
        memory = png.memory("memory")
        source, target = png.call("malloc", len(self.sample)), png.call("malloc", len(PIXELS))
        given = self.sample
        if cut_off or too_small:
            # At the end of the memory, on pages that the module's malloc knows nothing of.
            memory.grow(2)
        if cut_off:
            given = given[: len(given) // 2]
            source = memory.size - len(given)
        if too_small:
            target = memory.size - 100 * WIDTH * CHANNELS
        memory.write(source, given)
        error = png.call("png_decompress", source, len(self.sample), target, len(PIXELS), 0)
        return error == 0 and memory.read(target, len(PIXELS)) == PIXELS

    def run(self, name):
        self.decode(cut_off=name == "read_past_the_end", too_small=name == "write_past_the_end")

    def goes_on(self):
        return self.decode()


def trap_of(host, name):
    try:
        host.run(name)
    except wasmtrap.Trap as trap:
        return trap
    return None


def run_all(host, expected):
    """Prints a row for each, and returns how many trapped, and how many were not as expected."""
    seen = failures = 0
    for each in expected:
        trap = trap_of(host, each.called)
        if trap is None:
            print(f"  {each.called}: expected a trap, returned")
            failures += 1
            continue
        seen += 1
        words = words_of(trap)
        print(row(*place_of(trap), words))
        if words != each.words:
            print(row("  -- expected:", "", each.words, YELLOW))
            failures += 1
        if not host.goes_on():
            print(f"  after {each.called} the module no longer works")
            failures += 1
    return seen, failures


def main():
    modules, expected_traps, sample = map(pathlib.Path, sys.argv[1:])
    expected = list(expectations(expected_traps))
    wasmtrap.init()
    png = sample.read_bytes()
    hosts = {"traps": Traps(modules), "png": Png(modules, png)}
    failures = traps = 0
    for name, host in hosts.items():
        failures += not host.goes_on()
        print(heading(name, host.about))
        seen, wrong = run_all(host, [each for each in expected if each.module == name])
        traps += seen
        failures += wrong
    print(f"\n{traps} traps, {failures} not as expected. The host went on after each of them; the decoder has got "
          f"{WIDTH} x {HEIGHT} pixels from {len(png)} bytes\nright before and after.")
    return 0 if failures == 0 and traps == len(expected) else 1


if __name__ == "__main__":
    sys.exit(main())
