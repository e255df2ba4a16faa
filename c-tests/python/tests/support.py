"""What the tests share: modules, instances, the check that traps are still caught, and child processes."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import process_state
import wasmtrap

OUT = pathlib.Path(os.environ["WASMTRAP_TEST_OUT"])
SOURCES = pathlib.Path(__file__).resolve().parents[2]
# How faults are reported on a system with Mach: "all" or "most" of them to exception ports, "none" where a process gets
# no ports; not set elsewhere (support/host.h of the C tests).
EXCEPTION_PORTS = os.environ.get("EXCEPTION_PORTS")
HAS_PORTS = EXCEPTION_PORTS in ("all", "most")


def default_backend():
    return "mach_ports" if HAS_PORTS else "signals"


def told(access):
    """What a trap can say of an access: a Mach exception does not tell reads from writes."""
    by_signal = wasmtrap.backend() == "signals" or EXCEPTION_PORTS == "most"
    by_exception = wasmtrap.backend() == "mach_ports"
    return [access] * by_signal + ["unknown"] * by_exception


def module_path(name):
    return OUT / "modules" / (name + (".dll" if sys.platform == "win32" else ".so"))


def module(name):
    return wasmtrap.load(module_path(name))


def refuse():
    raise wasmtrap.Trap("refused", code=wasmtrap.CODE_USER + 1)


def traps_instance():
    return module("traps").instantiate({"host": {"refuse": refuse}})


def host_calls_instance(call=lambda number: number, nothing=lambda: None, values=lambda *numbers: numbers,
                        half=lambda number: number / 2):
    imports = {"host": {"call": call, "nothing": nothing, "values": values}, "other host": {"half": half}}
    return module("host_calls").instantiate(imports)


def trap_of(instance, *call):
    """The trap that a call must come to."""
    try:
        result = instance.call(*call)
    except wasmtrap.Trap as trap:
        return trap
    raise AssertionError(f"{call} returned {result!r} instead of trapping")


def check_that_traps_are_caught(instance=None):
    """By the processor's faults of each kind that the modules have, and by software; and work goes on after each."""
    instance = instance or host_calls_instance()
    trap = trap_of(instance, "load", 0x10000)
    assert (trap.name, trap.address) == ("out of bounds memory access", 0x10000), vars(trap)
    assert trap.access in told("read"), vars(trap)
    trap = trap_of(instance, "store", 0xFFFFFFFC, 1)
    assert (trap.name, trap.address) == ("out of bounds memory access", 0xFFFFFFFC), vars(trap)
    assert trap.access in told("write"), vars(trap)
    trap = trap_of(instance, "recurse_for_ever")
    assert (trap.name, trap.source) == ("call stack exhausted", "fault"), vars(trap)
    trap = trap_of(instance, "div", 1, 0)
    assert trap.name == "integer divide by zero", vars(trap)
    assert trap_of(instance, "stop").name == "unreachable"
    assert instance.call("add", 2, 3) == 5


def wait_for_ended_threads():
    """Python's join returns a little before the thread has left the system. With Mach exception ports the library has a
    thread of its own."""
    librarys = 1 if wasmtrap.backend() == "mach_ports" else 0
    while process_state.threads() > threading.active_count() + librarys:
        time.sleep(0.001)


def run_python(code, *options, timeout=120, env=None):
    """Runs code in a new interpreter of the same kind. The modules of the tests can be imported."""
    return subprocess.run([sys.executable, *options, "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, env={**os.environ, **(env or {})},
                          universal_newlines=True)


def check_python(code, *options, says="", **kwargs):
    """Runs code that must end well, say nothing on standard error, and print `says`."""
    done = run_python(code, *options, **kwargs)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == "", done.stderr
    assert done.stdout.strip() == says, done.stdout
    return done


class Crash:
    """How a process came to its end by a signal.

    stops has each SIGSEGV that the kernel was about to deliver, in order, but those that are meant to happen; killed is
    the signal that ended it. seen is false where nobody saw the stops, because something else traces all processes."""

    def __init__(self, stops, killed, stderr, seen):
        self.stops = [stop for stop in stops if stop["object"] not in FAULTING_OBJECTS]
        self.killed, self.stderr, self.seen = killed, stderr, seen
        self._crash_number = stops.index(self.stops[0]) if self.stops else None

    @staticmethod
    def place(stop):
        return stop["object"], stop["offset"]

    def shows_the_place(self):
        """Whether a core dump would show where the crash happened: right there, or below the handlers on the stack."""
        crash, last = self.stops[0], self.stops[-1]
        return (last["from_kernel"] and last["pc"] == crash["pc"]) or self._crash_number in last["below"]


# Where faults are part of the work.
FAULTING_OBJECTS = {"host_calls.so", "traps.so", "starts.so", "libwasm_rt_wasmtrap.so", "libsigsegv_owner.so"}


def crash_of_python(code, *options):
    """Runs code in a new interpreter under a tracer, which looks at each SIGSEGV."""
    if sys.platform != "linux":
        raise unittest.SkipTest("the tracer of this test is one for Linux")
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report"
        done = subprocess.run([str(OUT / "helpers" / "last_fault"), str(report), sys.executable, *options, "-c", code],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              universal_newlines=True)
        lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert done.returncode == 0 and lines, done.stderr
    return Crash(lines[:-1], lines[-1].get("killed"), done.stderr, lines[-1]["traced"])
