"""A contestant of the benchmark in Python (the protocol is in worker.h): traps as exceptions, beside calls that return.

    python_traps.py host_calls.so
"""

import ctypes
import sys
import time

import wasmtrap

ROW, CALLS, WARM_UP = "python.trap", 300, 30


def caught(call, error):
    def catching():
        try:
            call()
        except error:
            pass

    return catching


def fail():
    raise LookupError


def contestants(module):
    wasmtrap.init()
    instance = wasmtrap.load(module).instantiate(
        {"host": {"call": abs, "nothing": print, "values": print}, "other host": {"half": abs}})
    toupper = ctypes.CDLL(None).toupper
    toupper.argtypes, toupper.restype = [ctypes.c_int], ctypes.c_int
    return {
        "ctypes": lambda: toupper(1),
        "call": lambda: instance.call("add", 1, 2),
        "exception": caught(fail, LookupError),
        "raised": caught(lambda: instance.call("div", 1, 0), wasmtrap.Trap),
        "fault": caught(lambda: instance.call("load", -1), wasmtrap.Trap),
    }


def nanoseconds_each(call):
    for _ in range(WARM_UP):
        call()
    start = time.perf_counter_ns()
    for _ in range(CALLS):
        call()
    return (time.perf_counter_ns() - start) / CALLS


def main():
    calls = contestants(sys.argv[1])
    for name in calls:
        print("measure", ROW, name)
    print("ready", flush=True)
    for line in sys.stdin:
        row, name = line.split()
        if row != ROW:
            sys.exit(f"there is no measure {line}")
        print(f"{nanoseconds_each(calls[name]):.4f}", flush=True)


if __name__ == "__main__":
    main()
