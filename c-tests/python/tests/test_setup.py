"""Set-up: options, their errors, and what the process then says of itself."""

import unittest

import wasmtrap
from support import HAS_PORTS, check_python, check_that_traps_are_caught, default_backend


class Setup(unittest.TestCase):
    def test_the_version_is_a_version(self):
        self.assertRegex(wasmtrap.version(), r"^\d+\.\d+\.\d+$")

    def test_before_init_all_but_the_description_is_an_error(self):
        for function in wasmtrap.backend, wasmtrap.check, wasmtrap.rearm:
            with self.assertRaises(wasmtrap.Error) as caught:
                function()
            self.assertEqual(caught.exception.status_name, "WASMTRAP_ERR_NOT_INITIALIZED")
            self.assertLess(caught.exception.status, 0)
            self.assertIn("wasmtrap_init", str(caught.exception))
        self.assertIn("libwasmtrap", wasmtrap.describe())

    def test_init_can_be_repeated_with_the_same_options_only(self):
        wasmtrap.init()
        wasmtrap.init()
        with self.assertRaises(wasmtrap.Error) as caught:
            wasmtrap.init(fault_kinds=["memory"])
        self.assertEqual(caught.exception.status_name, "WASMTRAP_ERR_CONFLICT")

    def test_left_to_the_library_the_backend_is_the_platform_s(self):
        wasmtrap.init("auto", macos_use_mach_ports=None, fault_kinds=None, alternate_stack_size=0, allow_fallback=False)
        self.assertEqual(wasmtrap.backend(), default_backend())
        check_that_traps_are_caught()

    def test_signals_are_there_to_be_had(self):
        wasmtrap.init("signals")
        self.assertEqual(wasmtrap.backend(), "signals")
        check_that_traps_are_caught()

    def test_mach_ports_are_taken_where_they_are_and_refused_elsewhere_with_the_library_s_sentence(self):
        if HAS_PORTS:
            wasmtrap.init(backend="mach_ports")
            self.assertEqual(wasmtrap.backend(), "mach_ports")
            self.assertIn("EXCEPTION_STATE", wasmtrap.describe())
            check_that_traps_are_caught()
            return
        with self.assertRaises(wasmtrap.Error) as caught:
            wasmtrap.init(backend="mach_ports")
        self.assertEqual(caught.exception.status_name, "WASMTRAP_ERR_UNSUPPORTED")
        self.assertIn("Mach", str(caught.exception))
        wasmtrap.init(backend="mach_ports", allow_fallback=True)
        self.assertEqual(wasmtrap.backend(), "signals")

    def test_wasmtime_s_switch_on_has_an_effect_with_mach_ports_only(self):
        wasmtrap.init(macos_use_mach_ports=True)
        self.assertEqual(wasmtrap.backend(), default_backend())
        check_that_traps_are_caught()

    def test_wasmtime_s_switch_off_means_signals(self):
        wasmtrap.init(macos_use_mach_ports=False)
        self.assertEqual(wasmtrap.backend(), "signals")
        check_that_traps_are_caught()

    def test_options_that_contradict_each_other_are_refused(self):
        with self.assertRaises(wasmtrap.Error) as caught:
            wasmtrap.init("signals", macos_use_mach_ports=True)
        self.assertEqual(caught.exception.status_name, "WASMTRAP_ERR_INVALID_ARGUMENT")

    def test_the_environment_overrides_the_backend(self):
        code = "import wasmtrap; wasmtrap.init('mach_ports'); print(wasmtrap.backend())"
        check_python(code, env={"WASMTRAP_BACKEND": "signals"}, says="signals")
        code = "import wasmtrap\ntry: wasmtrap.init()\nexcept wasmtrap.Error as error: print(error.status_name)"
        check_python(code, env={"WASMTRAP_BACKEND": "fast"}, says="WASMTRAP_ERR_INVALID_ARGUMENT")

    def test_wrong_options_are_python_s_errors(self):
        wrong = [
            (TypeError, dict(backend=1)), (ValueError, dict(backend="fast")), (TypeError, dict(speed=1)),
            (TypeError, dict(macos_use_mach_ports="yes")), (TypeError, dict(fault_kinds="memory")),
            (ValueError, dict(fault_kinds=["memory", "fast"])), (ValueError, dict(fault_kinds=[])),
            (TypeError, dict(fault_kinds=3)), (ValueError, dict(alternate_stack_size=-1)),
            (OverflowError, dict(alternate_stack_size=1 << 64)), (TypeError, dict(alternate_stack_size="1")),
        ]
        for error, options in wrong:
            with self.subTest(options), self.assertRaises(error):
                wasmtrap.init(**options)
        with self.assertRaises(wasmtrap.Error) as caught:
            wasmtrap.init(alternate_stack_size=1)
        self.assertEqual(caught.exception.status_name, "WASMTRAP_ERR_INVALID_ARGUMENT")
        # None of them has done anything.
        with self.assertRaises(wasmtrap.Error):
            wasmtrap.backend()

    def test_fault_kinds_that_were_not_asked_for_stay_with_the_host(self):
        wasmtrap.init(fault_kinds=["memory", "illegal", "arithmetic", "breakpoint"], alternate_stack_size=1 << 16)
        self.assertIn("SIGTRAP: ours", wasmtrap.describe())
        check_that_traps_are_caught()

    def test_the_description_names_each_signal_and_its_owner(self):
        wasmtrap.init()
        text = wasmtrap.describe()
        for signal in "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE":
            self.assertIn(f"{signal}: ours", text)
        self.assertEqual(wasmtrap.check(), ())

    def test_codes_have_the_specification_s_names(self):
        self.assertEqual(wasmtrap.code_name(wasmtrap.CODE_INTEGER_DIVISION_BY_ZERO), "integer divide by zero")
        self.assertEqual(wasmtrap.code_name(wasmtrap.CODE_USER), "user trap")
        for error, code in (TypeError, "x"), (OverflowError, 1 << 32):
            with self.assertRaises(error):
                wasmtrap.code_name(code)
