"""Does again what a command did in the emulated machine: writes what it wrote, and ends as it ended.

    replay.py RESULT      a file that run.py --list has written

So prove judges what ran there as it judges what runs here.
"""

import json
import os
import signal
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        result = json.load(file)
    for stream, text in result["output"]:
        os.write(1 if stream == "out" else 2, text.encode("utf-8", "surrogateescape"))
    if result["fault"]:
        print(f"# {result['fault']}", file=sys.stderr)
        return 255
    kind, number = result["end"]
    if kind == "limit":
        print(f"# ended by the machine, after {number} seconds", file=sys.stderr)
        return 255
    if kind == "signal":
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return number


if __name__ == "__main__":
    sys.exit(main())
