"""Traps as exceptions: what they say, and how they, Python's exceptions and calls back and forth get on."""

import os
import pickle
import signal
import sys
import threading
import traceback
import unittest

import wasmtrap
from demo_table import expectations, words_of
from support import SOURCES, check_that_traps_are_caught, host_calls_instance, module, told, trap_of, traps_instance


class Record(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def test_every_kind_of_trap_says_what_the_c_host_says(self):
        instance = traps_instance()
        rows = expectations(SOURCES / "wasm" / "demo" / "expected_traps.txt")
        expected = [row for row in rows if row.module == "traps"]
        self.assertGreater(len(expected), 20)
        for number, each in enumerate(expected, 1):
            with self.subTest(each.called):
                trap = trap_of(instance, each.called)
                words = words_of(trap)
                if trap.access is not None:
                    self.assertIn(trap.access, told(each.words.access))
                    words = words._replace(access=each.words.access)
                if sys.platform == "win32":
                    # Of some functions gcc has the frame pointer point elsewhere into the frame, where a walk ends.
                    self.assertTrue(each.words.frames.startswith(words.frames), words)
                    words = words._replace(frames=each.words.frames)
                self.assertEqual(words, each.words)
                self.assertEqual(instance.call("go_on"), number)

    def test_the_attributes_of_a_fault(self):
        trap = trap_of(traps_instance(), "load_across_the_end")
        self.assertEqual(trap.code, wasmtrap.CODE_MEMORY_OUT_OF_BOUNDS)
        self.assertEqual(trap.name, wasmtrap.code_name(trap.code))
        self.assertEqual((trap.module, trap.address, trap.source), ("traps", 65536, "fault"))
        self.assertIn(trap.access, told("read"))
        self.assertEqual((trap.payload, trap.truncated), (0, False))
        self.assertIn(f"i64.load of traps: {trap.access} at 0x10000", str(trap))
        self.assertIsInstance(trap, Exception)
        frame = trap.frames[0]
        self.assertIsInstance(frame, wasmtrap.Frame)
        self.assertEqual((frame.function, frame.module, frame.offset), ("i64.load", "traps", trap.offset))
        self.assertEqual(trap.frames[1].function, "load_across_the_end")
        self.assertEqual(trap.frames[0].pc - trap.frames[1].pc, trap.frames[0].offset - trap.frames[1].offset)
        self.assertEqual([name for name in (each.function for each in trap.frames[2:]) if name], [])

    def test_the_attributes_of_what_code_raises(self):
        trap = trap_of(traps_instance(), "divide_by_zero")
        self.assertEqual((trap.code, trap.source), (wasmtrap.CODE_INTEGER_DIVISION_BY_ZERO, "raise"))
        self.assertEqual((trap.address, trap.access), (None, None))
        self.assertEqual(trap.frames[0].offset, trap.offset)

    def test_a_stack_overflow_has_as_many_frames_as_fit(self):
        trap = trap_of(traps_instance(), "recurse_for_ever")
        self.assertEqual(trap.code, wasmtrap.CODE_STACK_OVERFLOW)
        self.assertTrue(trap.truncated)
        self.assertEqual({frame.function for frame in trap.frames}, {"recurse"})
        self.assertGreater(len(trap.frames), 100)

    def test_offsets_are_those_of_the_code(self):
        instance = traps_instance()
        offsets = {trap_of(instance, "load_past_the_end").offset for _ in range(3)}
        self.assertEqual(len(offsets), 1)
        self.assertNotEqual(offsets, {trap_of(instance, "load_across_the_end").offset})

    def test_a_trap_survives_pickling(self):
        trap = trap_of(traps_instance(), "store_past_the_end")
        copy = pickle.loads(pickle.dumps(trap))
        self.assertIs(type(copy), wasmtrap.Trap)
        self.assertEqual(vars(copy), vars(trap))
        self.assertEqual(str(copy), str(trap))
        self.assertEqual(copy.frames[0].function, "i32.store")
        with self.assertRaises(wasmtrap.Error) as caught:
            wasmtrap.init("signals", fault_kinds=["memory"])
        self.assertEqual(pickle.loads(pickle.dumps(caught.exception)).status, caught.exception.status)

    def test_a_trap_that_python_makes_has_all_attributes(self):
        trap = wasmtrap.Trap("text")
        self.assertEqual((trap.code, trap.offset, trap.address, trap.access, trap.frames), (0, None, None, None, ()))
        trap = wasmtrap.Trap(code=wasmtrap.CODE_UNREACHABLE, payload=7)
        self.assertEqual((trap.name, trap.payload, trap.args), ("unreachable", 7, ()))
        wrong = [(TypeError, {"code": "x"}), (OverflowError, {"code": 2**32}), (OverflowError, {"code": -1}),
                 (TypeError, {"other": 1}), (OverflowError, {"payload": 2**64})]
        for error, keywords in wrong:
            with self.subTest(keywords), self.assertRaises(error):
                wasmtrap.Trap(**keywords)

        class Mine(wasmtrap.Trap):
            pass

        self.assertEqual(Mine("a", code=3).code, 3)


class Problem(Exception):
    pass


class Imports(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def test_values_of_every_type_go_out_and_come_back(self):
        seen = []

        def values(*numbers):
            seen.append(numbers)
            return [2**32 - 1, -(2**63), 0.5, -0.0]

        instance = host_calls_instance(values=values)
        self.assertEqual(instance.call("values", -1, 2**63, 1.5, -2.5), (-1, -(2**63), 0.5, 0.0))
        self.assertEqual(seen, [(-1, -(2**63), 1.5, -2.5)])
        self.assertEqual(instance.call("half", 3), 1.5)

    def test_wrong_results_are_python_s_errors(self):
        wrong = [(TypeError, None), (TypeError, "1"), (TypeError, 1.0), (OverflowError, 2**32), (TypeError, ())]
        for error, result in wrong:
            with self.subTest(result), self.assertRaises(error):
                host_calls_instance(lambda number: result).call("call", 0)
        for error, result in [(TypeError, None), (TypeError, (1, 2, 3)), (TypeError, 1), (TypeError, "abcd"),
                              (OverflowError, (1, 2, 1e39, 4))]:
            with self.subTest(result), self.assertRaises(error):
                host_calls_instance(values=lambda *numbers: result).call("values", 1, 2, 3, 4)
        with self.assertRaises(TypeError):
            host_calls_instance(nothing=lambda: 1).call("nothing")

    def test_an_exception_goes_through_as_it_is(self):
        problem = Problem("original")

        def call(number):
            raise problem

        instance = host_calls_instance(call)
        try:
            instance.call("call_between", 1)
        except Problem as caught:
            self.assertIs(caught, problem)
            names = [entry.name for entry in traceback.extract_tb(caught.__traceback__)]
        self.assertEqual(names, ["test_an_exception_goes_through_as_it_is", "call"])
        # The WebAssembly after the call has not run; what was before it has.
        self.assertEqual(instance.call("calls"), 1)
        check_that_traps_are_caught(instance)

    def test_exceptions_that_are_no_errors_go_through_too(self):
        for kind in SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration:
            def call(number):
                raise kind

            with self.subTest(kind), self.assertRaises(kind):
                host_calls_instance(call).call("call", 1)

    def test_a_trap_inside_an_import_is_that_import_s(self):
        inner = traps_instance()

        def call(number):
            try:
                inner.call("load_past_the_end")
            except wasmtrap.Trap as trap:
                return trap.address
            return -1

        instance = host_calls_instance(call)
        self.assertEqual(instance.call("call_between", 1), 2)
        self.assertEqual(instance.call("call", 1), 65536)
        self.assertEqual(trap_of(instance, "call_then_trap", 1).name, "out of bounds memory access")

    def test_a_trap_of_inner_webassembly_goes_through_the_outer_as_it_is(self):
        inner = traps_instance()
        instance = host_calls_instance(lambda number: inner.call("divide_by_zero"))
        trap = trap_of(instance, "call_between", 1)
        self.assertEqual((trap.name, trap.module), ("integer divide by zero", "traps"))
        self.assertEqual([frame.function for frame in trap.frames if frame.function], ["i32.div_s", "divide_by_zero"])

    def test_an_import_can_trap_with_a_code_of_its_own(self):
        mine = wasmtrap.Trap("mine", code=wasmtrap.CODE_USER + 5, payload=9)

        def call(number):
            raise mine

        instance = host_calls_instance(call)
        trap = trap_of(instance, "call_between", 1)
        self.assertIs(trap, mine)
        self.assertEqual((trap.code, trap.payload, trap.name, trap.source), (0x1005, 9, "user trap", "raise"))
        self.assertEqual([frame.function for frame in trap.frames if frame.function], ["call", "call_between"])
        self.assertEqual((trap.module, trap.offset), ("host_calls", trap.frames[1].offset))

    def test_a_trap_of_a_class_of_one_s_own_comes_out_as_it_is(self):
        class Mine(wasmtrap.Trap):
            pass

        def call(number):
            raise Mine("mine")

        with self.assertRaises(Mine) as caught:
            host_calls_instance(call).call("call", 1)
        self.assertEqual((caught.exception.code, caught.exception.module), (wasmtrap.CODE_NONE, "host_calls"))
        self.assertEqual(caught.exception.frames[1].function, "call")

    def test_calls_nest_in_the_same_instance(self):
        def call(number):
            if number == 0:
                raise Problem("at the bottom")
            return instance.call("recurse_through_host", number)

        instance = host_calls_instance(call)
        with self.assertRaisesRegex(Problem, "at the bottom"):
            instance.call("recurse_through_host", 50)

        def count(number):
            return instance.call("recurse_through_host", number)

        instance = host_calls_instance(count)
        self.assertEqual(instance.call("recurse_through_host", 100), 100)

    def test_traps_nest_at_every_depth(self):
        caught = []

        def call(number):
            try:
                instance.call("call_then_trap", number - 1) if number else instance.call("stop")
            except wasmtrap.Trap as trap:
                caught.append(trap.name)
            return 0

        instance = host_calls_instance(call)
        self.assertEqual(trap_of(instance, "call_then_trap", 30).address, 65536)
        self.assertEqual(caught, ["unreachable"] + 30 * ["out of bounds memory access"])

    def test_endless_recursion_through_python_ends_by_python_s_rule(self):
        instance = host_calls_instance(lambda number: instance.call("recurse_through_host", 1))
        with self.assertRaises(RecursionError):
            instance.call("recurse_through_host", 1)
        check_that_traps_are_caught(instance)

    def test_a_stack_overflow_never_reaches_python(self):
        # Each depth calls Python, which is always left enough of the stack.
        deepest = []
        instance = host_calls_instance(lambda number: deepest.append(number) or 0)
        trap = trap_of(instance, "recurse_and_call", 0)
        self.assertEqual(trap.name, "call stack exhausted")
        self.assertEqual(deepest, list(range(len(deepest))))
        self.assertGreater(len(deepest), 1000)
        check_that_traps_are_caught(instance)

    def test_imports_that_are_written_in_c_are_functions_too(self):
        self.assertEqual(host_calls_instance(abs).call("call", -5), 5)
        with self.assertRaises(ValueError):
            host_calls_instance(chr).call("call", -5)


    def test_the_start_function_may_call_raise_and_trap(self):
        starts = module("starts")
        self.assertIsNone(starts.instantiate({"host": {"start": lambda: 0}}).call("nothing"))
        with self.assertRaises(wasmtrap.Trap) as caught:
            starts.instantiate({"host": {"start": lambda: -4}})
        self.assertEqual((caught.exception.address, caught.exception.module), (0xFFFFFFFC, "starts"))

        def start():
            raise Problem

        with self.assertRaises(Problem):
            starts.instantiate({"host": {"start": start}})
        self.assertIsNone(starts.instantiate({"host": {"start": lambda: 0}}).call("nothing"))


class Interrupts(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def interrupt_soon(self):
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        self.addCleanup(timer.join)

    def test_ctrl_c_ends_webassembly_that_calls_python(self):
        instance = host_calls_instance(nothing=lambda: None)
        self.interrupt_soon()
        with self.assertRaises(KeyboardInterrupt):
            instance.call("call_for_ever")
        check_that_traps_are_caught(instance)

    def test_ctrl_c_ends_webassembly_that_calls_c(self):
        # Returns None and never looks at signals itself.
        instance = host_calls_instance(nothing=[].clear)
        self.interrupt_soon()
        with self.assertRaises(KeyboardInterrupt):
            instance.call("call_for_ever")
        check_that_traps_are_caught(instance)

    def test_ctrl_c_during_webassembly_comes_when_it_returns(self):
        instance = host_calls_instance()
        with self.assertRaises(KeyboardInterrupt):
            self.interrupt_soon()
            while True:
                self.assertEqual(instance.call("count", 1_000_000), 999_999)
        check_that_traps_are_caught(instance)
