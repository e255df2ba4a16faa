"""Runs all contestants of the benchmark in turn, prints the table, and writes results.json and the plots.

    bench.py --workers FOLDER --python-module FILE --mach COMMAND --library FILE --out FOLDER [--also COMMAND]...
             [--left-out NAME=REASON]... [--rounds N] [--strip STRIP]

A goal that is missed is said in the table and is no failure; a contestant that fails is.
"""

import argparse
import json
import os
import pathlib
import random
import shlex
import subprocess
import sys
import time

import plots
from report import results, table
from table import ENGINES, RANGES, SECTIONS, SITES
from contestants import Worker, WorkerFailed, measure_in_turn

# The workers are started anew now and then: where a process happens to have its memory makes a difference of one or two
# per cent, which must not stay with a contestant for the whole run.
STARTS = 8
WARM_UP_ROUNDS = 1

# What the workers in C are started with. Those of the first list share one processor; the rows of the second are about
# threads, which have them all.
ON_ONE_PROCESSOR = [["traps"], ["sigsetjmp"], ["libsigsegv"], ["wasm2c"], ["wasm2c_on_wasmtrap"], ["attach"],
                    ["start_up"]] + \
    [["tables", str(ranges), "0"] for ranges in RANGES] + [["tables", "1", str(sites)] for sites in SITES]
ON_ALL_PROCESSORS = [["threads", "8"], ["threads", "64"], ["interrupts"]]


def stripped_size(library, strip, out):
    copy = out / "stripped.so"
    subprocess.run([strip, "-o", copy, library], check=True)
    return copy.stat().st_size


def start_workers(arguments, processor):
    folder = arguments.workers
    python = [sys.executable, pathlib.Path(__file__).parent / "workers" / "python_traps.py", arguments.python_module]
    for name, *parameters in ON_ONE_PROCESSOR:
        yield Worker([folder / name, *parameters], processor)
    yield Worker(python, processor)
    for command in arguments.also:
        yield Worker(command, processor)
    yield Worker(arguments.mach)
    for name, *parameters in ON_ALL_PROCESSORS:
        yield Worker([folder / name, *parameters])


def measure_with_new_workers(arguments, processor, rounds, shuffle):
    """The numbers of these rounds, and what could not be measured."""
    few = {row: section.rounds for section in SECTIONS if section.rounds for row in section.rows}
    workers = []
    try:
        for worker in start_workers(arguments, processor):
            workers.append(worker)
        numbers = measure_in_turn(workers, rounds, WARM_UP_ROUNDS, shuffle, few)
        return numbers, [line for worker in workers for line in worker.absent]
    except WorkerFailed as failure:
        sys.exit(f"bench: {failure}")
    finally:
        for worker in workers:
            worker.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=pathlib.Path, required=True, help="where the contestants in C are")
    parser.add_argument("--python-module", type=pathlib.Path, required=True, help="c-tests/python's host_calls.so")
    parser.add_argument("--also", type=shlex.split, action="append", default=[], help="a command, one more contestant")
    parser.add_argument("--left-out", action="append", default=[], help="an engine that takes no part: NAME=REASON")
    parser.add_argument("--mach", type=shlex.split, required=True, help="how to run mach_calls in its kernel")
    parser.add_argument("--library", dest="shared_library", type=pathlib.Path, required=True, help="for its size")
    parser.add_argument("--strip", default="strip")
    parser.add_argument("--rounds", type=int, default=251)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds is at least 1")
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)

    # The last processor: the first has most of the machine's interrupts.
    processor = max(os.sched_getaffinity(0))
    start = time.monotonic()
    # The same order in every run, so that runs can be compared.
    shuffle = random.Random(6)
    numbers, absent = {}, []
    starts = min(STARTS, arguments.rounds)
    for number in range(starts):
        rounds = arguments.rounds // starts + (number < arguments.rounds % starts)
        measured, absent = measure_with_new_workers(arguments, processor, rounds, shuffle)
        for key, series in measured.items():
            numbers.setdefault(key, []).extend(series)
    numbers["size", "stripped"] = [stripped_size(arguments.shared_library, arguments.strip, out)]

    absent += [(ENGINES, *engine.split("=", 1)) for engine in arguments.left_out]

    rows = results(SECTIONS, numbers)
    with open(out / "results.json", "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")
    print(table(SECTIONS, rows, numbers, absent))
    drawn = plots.draw_all(numbers, out)
    print(f"{arguments.rounds} rounds in {time.monotonic() - start:.0f} s, pinned to processor {processor} of "
          f"{os.cpu_count()}; {os.uname().sysname} {os.uname().release}, {os.uname().machine}")
    print(f"{out}/results.json", *drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main())
