"""What the tests share: modules, instances, the check that traps are still caught, and child processes."""

import os
import pathlib
import subprocess
import sys

import wasmtime_host

OUT = pathlib.Path(os.environ["WASMTRAP_TEST_OUT"])
MODULES = OUT.parent / "modules"


def module(name):
    return wasmtime_host.load(MODULES / f"{name}.module")


def refuse():
    raise PermissionError("refused")


def traps_instance():
    return module("traps").instantiate({"host": {"refuse": refuse}})


def calls_instance(call=lambda number: number, values=lambda a, b, c, d: (d, c, b, a)):
    return module("calls").instantiate({"host": {"call": call, "values": values}})


def trap_of(instance, *call):
    """The trap that a call must come to."""
    try:
        result = instance.call(*call)
    except wasmtime_host.Trap as trap:
        return trap
    raise AssertionError(f"{call} returned {result!r} instead of trapping")


def check_that_traps_are_caught(instance=None):
    """A trap of each kind that comes by a fault, and work goes on after each."""
    instance = instance or calls_instance()
    for call, name in ((("load", 0x10000), "out of bounds memory access"),
                       (("store", -4, 1), "out of bounds memory access"),
                       (("recurse",), "call stack exhausted"),
                       (("divide", 1, 0), "integer divide by zero"),
                       (("divide", -(2**31), -1), "integer overflow"),
                       (("stop",), "unreachable")):
        trap = trap_of(instance, *call)
        assert trap.name == name, (call, vars(trap))
        assert trap.frames and trap.frames[0].module == "calls", (call, trap.frames)
        assert instance.call("add", 2, 3) == 5


def run_python(code, *options, timeout=120):
    """Runs code in a new interpreter of the same kind. The modules of the tests can be imported."""
    return subprocess.run([sys.executable, *options, "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, universal_newlines=True)


def check_python(code, *options):
    """Runs code that must end well and say nothing on standard error."""
    done = run_python(code, *options)
    assert (done.returncode, done.stderr) == (0, ""), (done.returncode, done.stdout, done.stderr)
