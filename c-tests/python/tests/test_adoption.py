"""Real engines with POSIX handlers of their own, as PyPI ships them, adopted: Wasmtime, and YARA-X, which brings a
Wasmtime of its own. Their traps stay theirs, ours stay ours, crashes stay crashes; on Mach ports nobody at the task's
level hears of a trap."""

import ctypes
import importlib.util
import signal
import threading
import unittest

import wasmtrap
from support import check_that_traps_are_caught, crash_of_python, host_calls_instance
from test_wasmtime import OtherEngine

HAVE_WASMTIME = importlib.util.find_spec("wasmtime") is not None
HAVE_YARA_X = importlib.util.find_spec("yara_x") is not None

DEFAULT_CLIENT = 0


class ClientDescription(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p), ("options", ctypes.c_void_p)]


class Library:
    """The library that the extension has loaded, by its C interface: what a host in Python does."""

    def __init__(self):
        self.c = ctypes.CDLL("libwasmtrap.so.0")
        self.c.wasmtrap_last_error.restype = ctypes.c_char_p
        description = ClientDescription(ctypes.sizeof(ClientDescription), b"engines", None)
        client = ctypes.c_uint32()
        self.must(self.c.wasmtrap_client_open(ctypes.byref(description), ctypes.byref(client)))
        self.client = client.value

    def must(self, status):
        if status != 0:
            raise AssertionError(f"{status}: {self.c.wasmtrap_last_error().decode()}")

    def adopt(self, start):
        """Adopts the engine that `start` starts; returns its id and what `start` has returned."""
        self.must(self.c.wasmtrap_adopt_begin(self.client))
        started = start()
        engine = ctypes.c_uint64()
        self.must(self.c.wasmtrap_adopt_end(0, ctypes.byref(engine)))
        return engine, started

    def attach(self):
        self.must(self.c.wasmtrap_thread_attach())

    def check(self):
        displaced = ctypes.c_uint32()
        self.must(self.c.wasmtrap_check(ctypes.byref(displaced)))
        return displaced.value & 0xff


class Exceptions(ctypes.Structure):
    """simulated_exceptions_t of the simulated Mach kernel."""

    _fields_ = [(name, ctypes.c_uint64) for name in (
        "thread_level", "thread_level_handled", "task_level", "task_level_handled", "became_signals", "violations",
        "behaviors_counted")]


def exceptions_by_ports():
    """How many exceptions came to a thread's port, and how many to the task's; None where they may do either: without
    a Mach kernel, and where it does not deliver them all."""
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "libsimulated_mach" in line}
    if not paths:
        return None
    kernel = ctypes.CDLL(paths.pop())
    name = ctypes.create_string_buffer(64)
    if not kernel.simulated_mach_is_here() or kernel.simulated_profile(name, ctypes.c_uint64(len(name))) != 0:
        return None
    if name.value in (b"bypassed", b"interrupted") or "Mach exception ports" not in wasmtrap.describe():
        return None
    now = Exceptions()
    assert kernel.simulated_exceptions(ctypes.byref(now)) == 0
    return now.thread_level_handled, now.task_level


def rules():
    import yara_x

    return yara_x.compile(
        'rule text { strings: $a = "needle" condition: $a } '
        "rule numbers { condition: for any i in (0..filesize - 4) : (uint32(i) == 0x64636261) }")


CRASH = """
import ctypes
import test_adoption
import wasmtrap
wasmtrap.init()
library = test_adoption.Library()
_, engine = library.adopt(test_adoption.{start})
ctypes.string_at(0)
"""


class Adoption(unittest.TestCase):
    def check_traps(self, other, rounds=30):
        """Of Wasmtime's and ours, on this thread."""
        before = exceptions_by_ports()
        ours = host_calls_instance()
        for _ in range(rounds):
            other.check()
            check_that_traps_are_caught(ours)
        after = exceptions_by_ports()
        if before is not None:
            self.assertGreaterEqual(after[0] - before[0], 4 * rounds)
            self.assertEqual(after[1], before[1])

    @unittest.skipUnless(HAVE_WASMTIME, "PyPI has no wasmtime for this interpreter")
    def test_wasmtime(self):
        wasmtrap.init()
        library = Library()
        _, other = library.adopt(OtherEngine)
        self.assertEqual(library.check(), 0)
        self.check_traps(other)
        # A new store, module and instance of it; and its traps on threads of its own.
        self.check_traps(OtherEngine(), 3)
        problems = []

        def work():
            try:
                library.attach()
                self.check_traps(OtherEngine(), 10)
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])

    @unittest.skipUnless(HAVE_WASMTIME, "PyPI has no wasmtime for this interpreter")
    def test_wasmtime_released(self):
        wasmtrap.init()
        library = Library()
        engine, other = library.adopt(OtherEngine)
        self.check_traps(other, 3)
        library.must(library.c.wasmtrap_adopt_release(engine))
        # As if it had been started after the library.
        self.assertNotEqual(library.check(), 0)
        ours = host_calls_instance()
        for _ in range(10):
            other.check()
            check_that_traps_are_caught(ours)
        wasmtrap.rearm()
        self.assertEqual(library.check(), 0)
        for _ in range(10):
            other.check()
            check_that_traps_are_caught(ours)

    @unittest.skipUnless(HAVE_YARA_X, "PyPI has no yara-x for this interpreter")
    def test_yara_x(self):
        wasmtrap.init()
        library = Library()
        _, compiled = library.adopt(rules)
        before = exceptions_by_ports()
        for _ in range(50):
            found = compiled.scan(b"." * 5000 + b"needle" + b"abcd")
            self.assertEqual(sorted(rule.identifier for rule in found.matching_rules), ["numbers", "text"])
            check_that_traps_are_caught()
        after = exceptions_by_ports()
        if before is not None:
            self.assertEqual(after[1], before[1])

    @unittest.skipUnless(HAVE_WASMTIME and HAVE_YARA_X, "PyPI has not both for this interpreter")
    def test_both(self):
        wasmtrap.init()
        library = Library()
        _, compiled = library.adopt(rules)
        _, other = library.adopt(OtherEngine)
        for _ in range(20):
            self.assertEqual(len(compiled.scan(b"needle").matching_rules), 1)
            self.check_traps(other, 2)

    def check_crash(self, start):
        crash = crash_of_python(CRASH.format(start=start))
        self.assertEqual(crash.killed, signal.SIGSEGV)

    @unittest.skipUnless(HAVE_WASMTIME, "PyPI has no wasmtime for this interpreter")
    def test_a_crash_with_wasmtime(self):
        self.check_crash("OtherEngine")

    @unittest.skipUnless(HAVE_YARA_X, "PyPI has no yara-x for this interpreter")
    def test_a_crash_with_yara_x(self):
        self.check_crash("rules")
