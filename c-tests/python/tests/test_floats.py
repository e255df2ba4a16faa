"""The processor's floating-point state across traps: NumPy's error state, rounding modes, flush-to-zero."""

import ctypes
import importlib.util
import math
import unittest

import wasmtrap
from support import OUT, check_that_traps_are_caught, host_calls_instance, trap_of

HAVE_NUMPY = importlib.util.find_spec("numpy") is not None
TINY = 2.0**-1060
EXTENDED_PRECISION = 0x300


class Modes:
    def __init__(self):
        helper = ctypes.CDLL(str(OUT / "helpers" / "float_modes.so"))
        for name in "get", "get_x87", "unusual":
            getattr(helper, f"float_modes_{name}").restype = ctypes.c_uint64
        helper.float_modes_unusual.argtypes = [ctypes.c_uint64]
        for name in "set", "set_x87":
            getattr(helper, f"float_modes_{name}").argtypes = [ctypes.c_uint64]
        self.helper = helper
        self.usual = self.get()

    def get(self):
        return self.helper.float_modes_get(), self.helper.float_modes_get_x87()

    def set(self, modes):
        self.helper.float_modes_set(modes[0])
        self.helper.float_modes_set_x87(modes[1])

    def unusual(self):
        return self.helper.float_modes_unusual(self.usual[0]), self.usual[1] & ~EXTENDED_PRECISION


class Registers(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()
        self.modes = Modes()
        self.addCleanup(self.modes.set, self.modes.usual)

    def test_modes_survive_traps(self):
        instance = host_calls_instance()
        unusual = self.modes.unusual()
        self.assertNotEqual(unusual, self.modes.usual)
        for modes in unusual, self.modes.usual, unusual:
            self.modes.set(modes)
            self.assertEqual(self.modes.get(), modes)
            for call in ("load", -1), ("store", -1, 1), ("recurse_for_ever",), ("div", 1, 0), ("stop",):
                trap_of(instance, *call)
                self.assertEqual(self.modes.get(), modes, call)

    def test_webassembly_runs_with_the_host_s_modes_and_python_with_its_own_afterwards(self):
        instance = host_calls_instance()
        third = instance.call("divide", 1, 3)
        self.assertEqual(instance.call("multiply", TINY, 1), TINY)
        self.modes.set(self.modes.unusual())
        # Rounded up; and too small a number is none.
        results = instance.call("divide", 1, 3), instance.call("multiply", TINY, 1)
        trap_of(instance, "load", -1)
        in_python = 1.0 / float("3"), TINY * float("1")
        self.modes.set(self.modes.usual)
        self.assertEqual(results, (math.nextafter(third, 1) if hasattr(math, "nextafter") else third + 2.0**-54, 0.0))
        self.assertEqual(in_python, results)

    def test_modes_that_an_import_leaves_behind_do_not_outlive_a_trap(self):
        def call(number):
            self.modes.set(self.modes.unusual())
            return number

        instance = host_calls_instance(call)
        trap_of(instance, "call_then_trap", 1)
        self.assertEqual(self.modes.get(), self.modes.usual)

    def test_webassembly_s_own_floating_point_is_right_after_traps(self):
        instance = host_calls_instance()
        for number in range(100):
            trap_of(instance, "load", -1)
            self.assertEqual(instance.call("divide", number, 7), number / 7)
            self.assertTrue(math.isnan(instance.call("divide", 0, 0)))
            self.assertEqual(instance.call("divide", 1, 0), math.inf)


@unittest.skipUnless(HAVE_NUMPY, "PyPI has no NumPy for this interpreter")
class NumPy(unittest.TestCase):
    def check(self):
        import numpy

        modes = Modes()
        self.addCleanup(modes.set, modes.usual)
        instance = host_calls_instance()
        numbers = numpy.linspace(0.1, 9.9, 10_001)
        wanted = numpy.sqrt(numbers) / 3
        zeros = numpy.zeros(100)
        for _ in range(50):
            with numpy.errstate(all="raise"):
                trap_of(instance, "load", -1)
                self.assertEqual(numpy.geterr()["divide"], "raise")
                # A trap leaves no sticky flag that NumPy would take for its own.
                self.assertTrue((numpy.sqrt(numbers) / 3 == wanted).all())
                with self.assertRaises(FloatingPointError):
                    numpy.ones(100) / zeros
                trap_of(instance, "div", 1, 0)
                with self.assertRaises(FloatingPointError):
                    numpy.sqrt(-numpy.ones(100))
            with numpy.errstate(all="ignore"):
                check_that_traps_are_caught(instance)
                self.assertTrue(numpy.isinf(numpy.ones(100) / zeros).all())
        modes.set(modes.unusual())
        before = numpy.sqrt(numbers) / 3, numpy.full(100, TINY) * 1.0
        check_that_traps_are_caught(instance)
        after = numpy.sqrt(numbers) / 3, numpy.full(100, TINY) * 1.0
        modes.set(modes.usual)
        self.assertTrue((before[0] == after[0]).all() and (after[0] != wanted).any())
        self.assertEqual((before[1].max(), after[1].max()), (0.0, 0.0))

    def test_numpy_first(self):
        import numpy

        self.assertEqual(numpy.arange(4).sum(), 6)
        wasmtrap.init()
        self.check()

    def test_the_library_first(self):
        wasmtrap.init()
        check_that_traps_are_caught()
        self.check()

    def test_numpy_inside_of_an_import(self):
        import numpy

        wasmtrap.init()

        def call(number):
            with numpy.errstate(all="raise"):
                try:
                    numpy.ones(3) / numpy.zeros(3)
                except FloatingPointError:
                    return int(numpy.arange(number).sum())

        instance = host_calls_instance(call)
        self.assertEqual(instance.call("call", 10), 45)
        self.assertEqual(trap_of(instance, "call_then_trap", 10).address, 65536)
        self.assertEqual(instance.call("call", 10), 45)
