"""100,000 traps leave memory, mappings, file descriptors and threads as they were."""

import gc
import threading
import unittest

import process_state
import wasmtrap
from support import check_that_traps_are_caught, host_calls_instance, trap_of, wait_for_ended_threads

TRAPS = 100_000
# What the allocators of Python and C may keep for themselves.
SLACK = 1 << 20
MAPPINGS_SLACK = 8


def state():
    """Resident bytes, mappings, and what must be the very same."""
    gc.collect()
    wait_for_ended_threads()
    return process_state.resident_bytes(), process_state.mappings(), {
        "descriptors": process_state.descriptors(),
        "threads": process_state.threads(),
        "described": wasmtrap.describe().splitlines()[-1],
    }


class Stability(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def check(self, work, warm_up, count):
        work(warm_up)
        resident, mappings, before = state()
        work(count)
        resident_after, mappings_after, after = state()
        self.assertEqual(after, before)
        self.assertLess(resident_after - resident, SLACK)
        self.assertLess(mappings_after - mappings, MAPPINGS_SLACK)

    def test_faults(self):
        instance = host_calls_instance()

        def work(count):
            for number in range(count):
                self.assertEqual(trap_of(instance, "load", 65536 + number).address, 65536 + number)

        self.check(work, TRAPS // 20, TRAPS)

    def test_traps_that_code_raises_and_exceptions_of_imports(self):
        def call(number):
            raise LookupError

        instance = host_calls_instance(call)

        def work(count):
            for _ in range(count // 2):
                self.assertEqual(trap_of(instance, "div", 1, 0).code, wasmtrap.CODE_INTEGER_DIVISION_BY_ZERO)
                with self.assertRaises(LookupError):
                    instance.call("call_between", 1)

        self.check(work, TRAPS // 20, TRAPS)

    def test_instances(self):
        def work(count):
            for _ in range(count):
                check_that_traps_are_caught()

        self.check(work, 100, 1000)

    def test_threads(self):
        def work(count):
            for _ in range(count):
                thread = threading.Thread(target=check_that_traps_are_caught)
                thread.start()
                thread.join()

        self.check(work, 50, 500)
