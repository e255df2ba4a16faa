#!/usr/bin/env python3
"""What a trap costs, seen from Python, beside calls that return: the best of several rounds, in microseconds a call.

    measure.py host_calls.so
"""

import ctypes
import sys
import time

import wasmtrap

ROUNDS, CALLS = 7, 20_000


def best(call):
    """Seconds a call, without the loop's own."""

    def round_of(function):
        start = time.perf_counter()
        for _ in range(CALLS):
            function()
        return time.perf_counter() - start

    return (min(round_of(call) for _ in range(ROUNDS)) - min(round_of(int) for _ in range(ROUNDS))) / CALLS


def caught(function, error):
    def call():
        try:
            function()
        except error:
            pass

    return call


def fail(number):
    raise LookupError


def main():
    wasmtrap.init()
    imports = {"host": {"call": abs, "nothing": print, "values": print}, "other host": {"half": abs}}
    module = wasmtrap.load(sys.argv[1])
    instance = module.instantiate(imports)
    failing = module.instantiate({**imports, "host": {**imports["host"], "call": fail}})
    toupper = ctypes.CDLL(None).toupper
    toupper.argtypes, toupper.restype = [ctypes.c_int], ctypes.c_int

    rows = [
        ("a ctypes call that returns: toupper(1)", lambda: toupper(1)),
        ("a call that returns: add(1, 2)", lambda: instance.call("add", 1, 2)),
        ("a call that calls a function of Python's and returns", lambda: instance.call("call", 1)),
        ("a Python exception, raised and caught", caught(lambda: fail(1), LookupError)),
        ("a Python exception through WebAssembly", caught(lambda: failing.call("call", 1), LookupError)),
        ("a trap that the code raises: div(1, 0)", caught(lambda: instance.call("div", 1, 0), wasmtrap.Trap)),
        ("a trap by a fault: load(-1)", caught(lambda: instance.call("load", -1), wasmtrap.Trap)),
    ]
    versions = f"CPython {sys.version.split()[0]}, libwasmtrap {wasmtrap.version()}"
    print(f"{versions}: microseconds a call, best of {ROUNDS} x {CALLS}")
    for name, call in rows:
        print(f"  {best(call) * 1e6:8.2f}  {name}")


if __name__ == "__main__":
    main()
