#!/usr/bin/env python3
"""Writes the picture for the PNG decoder: 256 by 192 pixels of RGB, where pixel (x, y) is (x xor y, x + y, x * y).

All five filters of the format take turns, line by line, and zlib's compression uses all of its own, so that the decoder
has all of its work to do. The host knows the pixels by the same rule (demo/png_decoder.c).
"""

import struct
import sys
import zlib

WIDTH, HEIGHT, CHANNELS = 256, 192, 3


def line_of_pixels(y):
    return bytes(value & 0xFF for x in range(WIDTH) for value in (x ^ y, x + y, x * y))


def paeth(left, above, above_left):
    estimate = left + above - above_left
    return min((left, above, above_left), key=lambda value: abs(estimate - value))


def filtered(kind, line, above):
    """One line as PNG stores it: the filter's number, and each byte less what the filter expects of it."""
    out = bytearray([kind])
    for i, value in enumerate(line):
        left, above_left = (line[i - CHANNELS], above[i - CHANNELS]) if i >= CHANNELS else (0, 0)
        expected = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], above_left))[kind]
        out.append((value - expected) & 0xFF)
    return bytes(out)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main():
    above, stored = bytes(WIDTH * CHANNELS), b""
    for y in range(HEIGHT):
        line = line_of_pixels(y)
        stored += filtered(y % 5, line, above)
        above = line
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    with open(sys.argv[1], "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(stored, 9)))
        file.write(chunk(b"IEND", b""))


if __name__ == "__main__":
    main()
