"""Every way to trap is an exception with Wasmtime's words, and everything goes on afterwards."""

import gc
import unittest

import wasmtime_host
from support import calls_instance, check_that_traps_are_caught, module, trap_of, traps_instance

MEMORY, TABLE = "out of bounds memory access", "undefined element: out of bounds table access"
REASONS = {
    "reach_the_unreachable": "wasm `unreachable` instruction executed",
    "load_past_the_end": MEMORY,
    "load_across_the_end": MEMORY,
    "load_with_a_high_offset": MEMORY,
    "load_from_minus_one": MEMORY,
    "store_past_the_end": MEMORY,
    "store_at_the_very_end": MEMORY,
    "store_past_by_offset": MEMORY,
    "fill_past_the_end": MEMORY,
    "copy_past_the_end": MEMORY,
    "init_past_the_data": MEMORY,
    "call_past_the_table": TABLE,
    "call_an_empty_element": "uninitialized element",
    "call_with_a_wrong_type": "indirect call type mismatch",
    "get_past_the_table": TABLE,
    "set_past_the_table": TABLE,
    "fill_past_the_table": TABLE,
    "copy_past_the_table": TABLE,
    "init_past_the_elements": TABLE,
    "divide_by_zero": "integer divide by zero",
    "remainder_by_zero": "integer divide by zero",
    "divide_min_by_minus_one": "integer overflow",
    "convert_too_large": "integer overflow",
    "convert_nan": "invalid conversion to integer",
    "recurse_for_ever": "call stack exhausted",
}


class Traps(unittest.TestCase):
    def test_every_way_to_trap(self):
        instance = traps_instance()
        for count, (function, reason) in enumerate(REASONS.items(), 1):
            with self.subTest(function):
                trap = trap_of(instance, function)
                self.assertEqual(trap.reason, f"wasm trap: {reason}")
                self.assertIn(trap.reason, str(trap))
                self.assertIn("wasm backtrace", str(trap))
                self.assertGreaterEqual(len(trap.frames), 1)
                self.assertNotEqual(trap.code, 0)
                self.assertEqual(instance.call("go_on"), count)

    def test_the_address_is_in_the_message(self):
        self.assertIn("memory fault at wasm address 0x12345678 in linear memory of size 0x10000",
                      str(trap_of(traps_instance(), "store_past_the_end")))

    def test_an_uncaught_exception(self):
        with self.assertRaises(wasmtime_host.UncaughtException):
            traps_instance().call("throw_without_a_catch")

    def test_what_a_function_of_python_raises_arrives_as_it_was(self):
        error = LookupError("nothing there")

        def call(number):
            raise error

        with self.assertRaises(LookupError) as caught:
            calls_instance(call).call("call", 1)
        self.assertIs(caught.exception, error)
        with self.assertRaises(PermissionError):
            traps_instance().call("ask_for_a_refusal")

    def test_a_trap_in_a_start_function(self):
        for _ in range(3):
            with self.assertRaises(wasmtime_host.Trap) as caught:
                module("starts").instantiate()
            self.assertEqual(caught.exception.name, "unreachable")

    def test_traps_at_every_level_of_calls_to_and_fro(self):
        depth = 20

        def call(number):
            if number == 0:
                trap_of(instance, "load", -4)
                return 0
            try:
                return instance.call("call_then_trap", number - 1)
            except wasmtime_host.Trap as trap:
                self.assertEqual(trap.name, "out of bounds memory access")
                return number

        instance = calls_instance(call)
        self.assertEqual(trap_of(instance, "call_then_trap", depth).name, "out of bounds memory access")
        check_that_traps_are_caught(instance)

    def test_many_instances_come_and_go(self):
        for _ in range(200):
            instance = calls_instance()
            trap_of(instance, "load", -4)
            self.assertEqual(instance.read("memory", 0, 16), b"initial contents")
            instance.write("memory", 0, b"changed")
        gc.collect()
        check_that_traps_are_caught()


class Values(unittest.TestCase):
    def test_all_types_go_both_ways(self):
        instance = calls_instance()
        self.assertEqual(instance.call("values", -1, 2**63 - 1, 0.5, 1e300), (1e300, 0.5, 2**63 - 1, -1))
        self.assertEqual(instance.call("same_vector", bytes(range(16))), bytes(range(16)))
        self.assertEqual(instance.call("same_reference", 2**64 - 1), 2**64 - 1)
        self.assertIsNone(instance.call("same_reference", None))
        self.assertEqual(instance.global_value("counter"), 7)

    def test_memory(self):
        instance = calls_instance()
        self.assertEqual(instance.memory_size("memory"), 65536)
        self.assertEqual(instance.grow("memory", 1), 1)
        self.assertEqual(instance.call("load", 65536), 0)
        instance.write("memory", 131068, b"\1\2\3\4")
        self.assertEqual(instance.call("load", 131068), 0x04030201)
        self.assertEqual(trap_of(instance, "load", 131069).code, 2)
