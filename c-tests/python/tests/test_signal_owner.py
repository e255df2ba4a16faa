"""GNU libsigsegv, which owns SIGSEGV and passes nothing on: before us and after us."""

import ctypes
import unittest

import wasmtrap
from support import OUT, check_that_traps_are_caught, crash_of_python, host_calls_instance

OWNER = f"import ctypes; owner = ctypes.CDLL({str(OUT / 'helpers' / 'libsigsegv_owner.so')!r})\n"
INSTALL = "assert owner.owner_install() == 0\n"
INIT = "import wasmtrap, support; wasmtrap.init()\n"


@unittest.skipUnless((OUT / "helpers" / "libsigsegv_owner.so").exists(), "libsigsegv is not installed here")
class SignalOwner(unittest.TestCase):
    def setUp(self):
        self.owner = ctypes.CDLL(str(OUT / "helpers" / "libsigsegv_owner.so"))
        self.touches = 0

    def check_that_its_faults_are_its_own(self):
        self.touches += 1
        self.assertEqual(self.owner.owner_touch(), self.touches)

    def check_both(self):
        for _ in range(20):
            self.check_that_its_faults_are_its_own()
            check_that_traps_are_caught()
        # And from inside of WebAssembly.
        instance = host_calls_instance(lambda number: self.check_that_its_faults_are_its_own() or number)
        self.assertEqual(instance.call("call_between", 1), 2)
        check_that_traps_are_caught(instance)

    def test_before_us_nothing_is_to_be_done(self):
        self.assertEqual(self.owner.owner_install(), 0)
        self.check_that_its_faults_are_its_own()
        wasmtrap.init()
        self.assertEqual(wasmtrap.check(), ())
        self.check_both()

    def test_after_us_check_says_so_and_rearm_mends_it(self):
        wasmtrap.init()
        check_that_traps_are_caught()
        self.assertEqual(self.owner.owner_install(), 0)
        self.assertEqual(wasmtrap.check(), ("memory",))
        self.assertIn("libsigsegv", wasmtrap.describe())
        wasmtrap.rearm()
        self.assertEqual(wasmtrap.check(), ())
        self.check_both()

    def test_a_crash_is_a_crash_in_both_orders(self):
        for setup in OWNER + INSTALL + INIT, OWNER + INIT + INSTALL + "wasmtrap.rearm()\n":
            for before in "", "support.check_that_traps_are_caught(); owner.owner_touch()\n":
                end = crash_of_python(setup + before + "ctypes.string_at(0)")
                self.assertEqual(end.killed, 11)
                self.assertTrue(not end.seen or end.shows_the_place(), end.stops)
