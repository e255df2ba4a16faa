"""A second WebAssembly engine in the process: Wasmtime. Its traps stay its own and ours stay ours."""

import importlib.util
import threading
import unittest

import wasmtrap
from support import check_that_traps_are_caught, crash_of_python, host_calls_instance, trap_of

HAVE_WASMTIME = importlib.util.find_spec("wasmtime") is not None

TEXT = """
(module
  (import "host" "call" (func $call))
  (memory 1)
  (func $recurse (call $recurse) (call $recurse))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "stop") unreachable)
  (func (export "recurse") (call $recurse))
  (func (export "call_then_trap") (call $call) (drop (i32.load (i32.const -1))))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
"""


class OtherEngine:
    def __init__(self, call=lambda: None):
        import wasmtime

        self.wasmtime = wasmtime
        self.store = wasmtime.Store(wasmtime.Engine())
        module = wasmtime.Module(self.store.engine, TEXT)
        function = wasmtime.Func(self.store, wasmtime.FuncType([], []), call)
        self.exports = wasmtime.Instance(self.store, module, [function]).exports(self.store)

    def call(self, name, *arguments):
        return self.exports[name](self.store, *arguments)

    def trap_of(self, name, *arguments):
        try:
            self.call(name, *arguments)
        except self.wasmtime.Trap as trap:
            return trap
        raise AssertionError(f"{name} returned instead of trapping")

    def check(self):
        code = self.wasmtime.TrapCode
        assert self.trap_of("load", -1).trap_code == code.MEMORY_OUT_OF_BOUNDS
        assert self.trap_of("divide", 1, 0).trap_code == code.INTEGER_DIVISION_BY_ZERO
        assert self.trap_of("stop").trap_code == code.UNREACHABLE
        assert self.trap_of("recurse").trap_code == code.STACK_OVERFLOW
        assert self.call("add", 2, 3) == 5


@unittest.skipUnless(HAVE_WASMTIME, "PyPI has no wasmtime for this interpreter")
class Wasmtime(unittest.TestCase):
    def check_both(self, other, ours):
        for _ in range(20):
            other.check()
            check_that_traps_are_caught(ours)
        OtherEngine().check()
        check_that_traps_are_caught()

    def check_threads(self):
        problems = []

        def work(check):
            try:
                for _ in range(50):
                    check()
            except BaseException as problem:
                problems.append(problem)

        # A store is for one thread at a time.
        checks = [check for _ in range(3) for check in (OtherEngine().check, check_that_traps_are_caught)]
        threads = [threading.Thread(target=work, args=(check,)) for check in checks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])

    def test_wasmtime_first(self):
        other = OtherEngine()
        other.check()
        wasmtrap.init()
        self.assertEqual(wasmtrap.check(), ())
        self.check_both(other, host_calls_instance())
        self.check_threads()

    def test_the_library_first(self):
        wasmtrap.init()
        ours = host_calls_instance()
        check_that_traps_are_caught(ours)
        other = OtherEngine()
        # Wasmtime passes on what is not its own, so that it works before rearm too.
        self.check_both(other, ours)
        self.check_threads()

    def test_the_library_first_and_rearmed(self):
        wasmtrap.init()
        ours = host_calls_instance()
        other = OtherEngine()
        other.check()
        self.assertIn("memory", wasmtrap.check())
        wasmtrap.rearm()
        self.assertEqual(wasmtrap.check(), ())
        self.check_both(other, ours)
        self.check_threads()

    def check_nesting(self):
        # Ours in Wasmtime's import, and Wasmtime in ours.
        inner = host_calls_instance()
        other = OtherEngine(lambda: check_that_traps_are_caught(inner))
        self.assertEqual(other.trap_of("call_then_trap").trap_code, other.wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS)
        inner_other = OtherEngine()
        ours = host_calls_instance(lambda number: inner_other.check() or number)
        self.assertEqual(trap_of(ours, "call_then_trap", 1).address, 65536)
        # A trap of one goes through the other.
        other = OtherEngine(lambda: inner.call("load", -1))
        with self.assertRaises(wasmtrap.Trap):
            other.call("call_then_trap")
        ours = host_calls_instance(lambda number: inner_other.call("stop"))
        with self.assertRaises(inner_other.wasmtime.Trap):
            ours.call("call_between", 1)
        self.check_both(OtherEngine(), host_calls_instance())

    def test_nesting_with_wasmtime_first(self):
        OtherEngine().check()
        wasmtrap.init()
        self.check_nesting()

    def test_nesting_with_the_library_first(self):
        wasmtrap.init()
        check_that_traps_are_caught()
        self.check_nesting()
        wasmtrap.rearm()
        self.check_nesting()

    def test_a_crash_is_neither_s(self):
        wasmtime_up = "import test_wasmtime; test_wasmtime.OtherEngine().check()\n"
        us_up = "import support, wasmtrap; wasmtrap.init(); support.check_that_traps_are_caught()\n"
        for setup in wasmtime_up + us_up, us_up + wasmtime_up, us_up + wasmtime_up + "wasmtrap.rearm()\n":
            end = crash_of_python(setup + "import ctypes; ctypes.string_at(0)")
            self.assertEqual(end.killed, 11, end.stderr)
            crash = [stop for stop in end.stops if stop["from_kernel"] and stop["address"] == 0]
            self.assertTrue(not end.seen or end.stops[-1]["pc"] == crash[0]["pc"], end.stops)
