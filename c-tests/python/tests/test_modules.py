"""Modules, instances, memories: what they tell, take and refuse, and that they keep each other alive."""

import copy
import gc
import importlib
import math
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile
import unittest
import weakref

import process_state
import wasmtrap
from support import (OUT, check_python, check_that_traps_are_caught, host_calls_instance, module, module_path, trap_of,
                     traps_instance)


class Loading(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def assert_is_refused(self, path, sentence, error=wasmtrap.Error):
        with self.assertRaisesRegex(error, sentence) as caught:
            wasmtrap.load(path)
        return caught.exception

    def test_load_needs_init(self):
        code = ("import wasmtrap\ntry: wasmtrap.load(%r)\n"
                "except wasmtrap.Error as error: print(error.status_name)") % str(module_path("traps"))
        check_python(code, says="WASMTRAP_ERR_NOT_INITIALIZED")

    def test_what_is_no_path_is_refused(self):
        self.assert_is_refused(7, "", TypeError)
        self.assert_is_refused(None, "", TypeError)
        self.assert_is_refused("a\0b", "", ValueError)
        with self.assertRaises(TypeError):
            wasmtrap.load()

    def test_files_that_are_no_module_are_refused(self):
        self.assert_is_refused("/does/not/exist.so", "cannot open")
        self.assert_is_refused("not_there.so", "cannot open")
        self.assert_is_refused("/", "")
        self.assert_is_refused(__file__, "not a shared object")
        self.assert_is_refused(os.devnull, "not a shared object")
        self.assert_is_refused(sys.executable, "")
        other = "wasmtrap.dll" if sys.platform == "win32" else "helpers/float_modes.so"
        error = self.assert_is_refused(OUT / other, "not a compiled WebAssembly module")
        self.assertIsNone(error.status)
        check_that_traps_are_caught()

    def test_a_module_that_was_cut_off_is_refused_at_every_length(self):
        whole = (module_path("traps")).read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "cut.so"
            for length in [0, 3, 4, 16, 63, 64, 65, 200, *range(1024, len(whole), 4099)]:
                path.write_bytes(whole[:length])
                try:
                    # What is cut off at the end may be only what nobody needs.
                    wasmtrap.load(path).instantiate({"host": {"refuse": print}})
                except wasmtrap.Error:
                    continue
                self.assertGreater(length, len(whole) / 2)

    def test_a_module_of_another_version_is_refused(self):
        whole = (module_path("traps")).read_bytes()
        mark = b"wasm module interface 2"
        self.assertEqual(whole.count(mark), 1)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "other.so"
            path.write_bytes(whole.replace(mark, b"wasm module interface 9"))
            self.assert_is_refused(path, "another version")

    def test_the_same_file_can_be_loaded_again(self):
        first, second = module("traps"), module("traps")
        refuse = {"host": {"refuse": print}}
        instances = [first.instantiate(refuse), second.instantiate(refuse)]
        del first, second
        for instance in instances:
            self.assertEqual(trap_of(instance, "divide_by_zero").name, "integer divide by zero")

    def test_a_file_name_without_a_slash_is_a_file_of_this_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(module_path("traps"), pathlib.Path(folder) / "here.so")
            os.chdir(folder)
            self.assertEqual(wasmtrap.load("here.so").name, "traps")
            self.assertEqual(wasmtrap.load(b"here.so").name, "traps")
            os.chdir("/")

    def test_unloading_forgets_the_code(self):
        check_that_traps_are_caught()
        gc.collect()
        before = wasmtrap.describe()
        for _ in range(20):
            instance = traps_instance()
            self.assertNotEqual(wasmtrap.describe(), before)
            self.assertEqual(trap_of(instance, "divide_by_zero").name, "integer divide by zero")
            del instance
            gc.collect()
            self.assertEqual(wasmtrap.describe(), before)
            self.assertNotIn("traps.so", process_state.loaded_objects())

    def test_importing_the_extension_again_is_safe(self):
        old_instance = host_calls_instance()
        old = sys.modules.pop("wasmtrap")
        new = importlib.import_module("wasmtrap")
        self.assertIsNot(new, old)
        new.init()
        new_instance = new.load(module_path("host_calls")).instantiate(
            {"host": {"call": abs, "nothing": print, "values": print}, "other host": {"half": abs}})
        for extension, instance in (new, new_instance), (old, old_instance), (new, new_instance):
            with self.assertRaises(extension.Trap):
                instance.call("stop")
        del old, old_instance
        gc.collect()
        with self.assertRaises(new.Trap):
            new_instance.call("load", -1)

    def test_reloading_the_extension_is_safe(self):
        instance = host_calls_instance()
        self.assertIs(importlib.reload(wasmtrap), wasmtrap)
        check_that_traps_are_caught(instance)
        check_that_traps_are_caught()


class Description(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def test_exports_have_their_types(self):
        exports = module("host_calls").exports
        self.assertEqual(exports["swap"], (("i32", "i64", "f32", "f64"), ("f64", "f32", "i64", "i32")))
        self.assertEqual(exports["stop"].params, ())
        self.assertEqual(exports["stop"].results, ())
        self.assertEqual(exports["reference"].params, ("externref",))
        self.assertEqual(sum(name.startswith("same_") for name in exports), 4)

    def test_imports_have_their_types(self):
        self.assertEqual(module("host_calls").imports, {
            ("host", "call"): (("i32",), ("i32",)),
            ("host", "values"): (("i32", "i64", "f32", "f64"),) * 2,
            ("host", "nothing"): ((), ()),
            ("other host", "half"): (("f64",), ("f64",)),
        })

    def test_the_rest_of_it(self):
        loaded = module("host_calls")
        self.assertEqual((loaded.name, loaded.memories), ("host_calls", ("memory",)))
        self.assertEqual(pathlib.Path(loaded.path), module_path("host_calls"))
        self.assertIn("host_calls", repr(loaded))
        instance = host_calls_instance()
        self.assertEqual(instance.module.name, "host_calls")
        self.assertIn("host_calls", repr(instance))

    def test_objects_cannot_be_copied_or_pickled(self):
        instance = host_calls_instance()
        for each in instance, instance.module, instance.memory():
            for copy_of in copy.copy, copy.deepcopy, pickle.dumps:
                with self.subTest(each, how=copy_of), self.assertRaises(TypeError):
                    copy_of(each)

    def test_types_have_no_constructors(self):
        for kind in wasmtrap.Module, wasmtrap.Instance, wasmtrap.Memory:
            with self.assertRaises(TypeError):
                kind()


class Calls(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()
        self.instance = host_calls_instance()

    def test_integers_come_back_signed(self):
        for given, wanted in (0, 0), (-1, -1), (2**31 - 1, 2**31 - 1), (-(2**31), -(2**31)), (2**32 - 1, -1), (True, 1):
            self.assertEqual(self.instance.call("same_i32", given), wanted)
        for given, wanted in (-(2**63), -(2**63)), (2**63 - 1, 2**63 - 1), (2**64 - 1, -1), (2**63, -(2**63)):
            self.assertEqual(self.instance.call("same_i64", given), wanted)

    def test_floats_go_through(self):
        for number in 0.0, -1.5, 1e300, float("inf"), -float("inf"), 5e-324, 3:
            self.assertEqual(self.instance.call("same_f64", number), number)
        for number in 0.0, -1.5, 2.0**127, float("inf"), 2**24:
            self.assertEqual(self.instance.call("same_f32", number), number)
        self.assertTrue(math.isnan(self.instance.call("same_f32", math.nan)))
        self.assertTrue(math.isnan(self.instance.call("same_f64", math.nan)))
        self.assertEqual(self.instance.call("same_f32", 0.1), 0.10000000149011612)

    def test_objects_that_are_numbers_are_taken(self):
        class Index:
            def __index__(self):
                return 7

        class Float:
            def __float__(self):
                return 7.5

        self.assertEqual(self.instance.call("same_i32", Index()), 7)
        self.assertEqual(self.instance.call("same_f64", Float()), 7.5)

    def test_several_results_are_a_tuple(self):
        self.assertEqual(self.instance.call("swap", 1, 2, 3.0, 4.0), (4.0, 3.0, 2, 1))

    def test_wrong_arguments_are_python_s_errors(self):
        class Broken:
            def __index__(self):
                raise ZeroDivisionError

        wrong = [
            (TypeError, ()), (TypeError, (1,)), (TypeError, (b"add", 1, 2)), (ValueError, ("no such function",)),
            (TypeError, ("add",)), (TypeError, ("add", 1)), (TypeError, ("add", 1, 2, 3)), (TypeError, ("add", 1, "2")),
            (TypeError, ("add", 1.0, 2)), (TypeError, ("add", None, 2)), (OverflowError, ("same_i32", 2**32)),
            (OverflowError, ("same_i32", -(2**31) - 1)), (OverflowError, ("same_i64", 2**64)),
            (OverflowError, ("same_i64", -(2**63) - 1)), (OverflowError, ("same_i32", 10**100)),
            (TypeError, ("same_f64", "1")), (OverflowError, ("same_f64", 10**400)), (OverflowError, ("same_f32", 1e39)),
            (TypeError, ("same_f32", None)), (ZeroDivisionError, ("same_i32", Broken())), (TypeError, ("reference", 1)),
        ]
        for error, call in wrong:
            with self.subTest(call), self.assertRaises(error):
                self.instance.call(*call)
        with self.assertRaisesRegex(OverflowError, "argument 2 is an i32: 4294967296"):
            self.instance.call("add", 1, 2**32)
        self.assertEqual(self.instance.call("add", 1, 2), 3)

    def test_imports_must_be_there_and_callable(self):
        loaded = module("traps")
        for error, imports in [
            (ValueError, ()), (ValueError, (None,)), (ValueError, ({},)), (ValueError, ({"host": {}},)),
            (ValueError, ({"host": {"other": print}},)), (TypeError, ({"host": {"refuse": 3}},)), (TypeError, (3,)),
            (TypeError, ({}, {})),
        ]:
            with self.subTest(imports), self.assertRaises(error):
                loaded.instantiate(*imports)
        loaded.instantiate({"host": {"refuse": print, "more": 3}, "another": None})


class Memory(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()
        self.instance = host_calls_instance()

    def test_it_is_what_the_module_sees(self):
        memory = self.instance.memory()
        self.assertEqual(memory.size, 65536)
        self.assertEqual(memory.read(16, 16), b"sixteen bytes...")
        memory.write(32, b"\x01\x02\x03\x04")
        self.assertEqual(self.instance.call("load", 32), 0x04030201)
        self.instance.call("store", 65532, -1)
        self.assertEqual(self.instance.memory("memory").read(65530, 6), b"\0\0\xff\xff\xff\xff")
        memory.write(0, bytearray(b"ab"))
        memory.write(65536, b"")
        self.assertEqual(memory.read(0, 2), b"ab")

    def test_ranges_outside_of_it_are_refused(self):
        memory = self.instance.memory()
        for arguments in (0, 65537), (65536, 1), (-1, 1), (1, -1), (2**62, 2**62), (65535, 2):
            with self.subTest(arguments), self.assertRaises(ValueError):
                memory.read(*arguments)
        for error, arguments in [(ValueError, (65535, b"ab")), (ValueError, (-1, b"")), (TypeError, (0, "text")),
                                 (TypeError, (0,)), (TypeError, (0, None)), (OverflowError, (2**64, b""))]:
            with self.subTest(arguments), self.assertRaises(error):
                memory.write(*arguments)
        with self.assertRaises(ValueError):
            self.instance.memory("none")
        with self.assertRaises(ValueError):
            module("starts").instantiate({"host": {"start": lambda: 0}}).memory()

    def test_it_grows_as_far_as_the_module_allows(self):
        memory = self.instance.memory()
        self.assertEqual(memory.grow(2), 1)
        self.assertEqual(memory.size, 3 * 65536)
        for pages in 2, 2**32, 2**32 + 1, 2**63:
            with self.assertRaises(ValueError):
                memory.grow(pages)
        with self.assertRaises(TypeError):
            memory.grow("1")
        self.assertEqual(trap_of(self.instance, "load", 3 * 65536).address, 3 * 65536)
        self.assertEqual(self.instance.call("load", 3 * 65536 - 4), 0)

    def test_it_keeps_its_instance_and_module(self):
        memory = self.instance.memory()
        del self.instance
        gc.collect()
        memory.write(5, b"here")
        self.assertEqual(memory.read(5, 4), b"here")


class Lifetime(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def test_an_instance_keeps_its_module_loaded(self):
        instance = traps_instance()
        gc.collect()
        self.assertEqual(trap_of(instance, "load_past_the_end").address, 65536)

    def test_an_instance_may_be_dropped_while_it_runs(self):
        holder = []

        def call(number):
            holder.clear()
            gc.collect()
            return number

        holder.append(host_calls_instance(call))
        self.assertEqual(holder[0].call("call", 3), 3)

    def test_a_circle_through_an_import_is_collected(self):
        class Host:
            def call(self, number):
                return self.instance.call("add", number, 1)

        host = Host()
        host.instance = host_calls_instance(host.call)
        self.assertEqual(host.instance.call("call", 1), 2)
        dead = weakref.ref(host)
        regions = wasmtrap.describe()
        del host
        gc.collect()
        self.assertIsNone(dead())
        self.assertNotEqual(wasmtrap.describe(), regions)

    def test_objects_left_at_the_end_of_the_interpreter_do_no_harm(self):
        code = """
import atexit, os, support, wasmtrap
wasmtrap.init()
instance = support.host_calls_instance(lambda number: instance.call('add', number, 1))
memory = instance.memory()
instance.call('call', 1)
traps = [support.trap_of(instance, 'stop')]
atexit.register(support.check_that_traps_are_caught, instance)
class Last:
    def __del__(self, instance=instance, Trap=wasmtrap.Trap, write=os.write):
        try: instance.call('stop')
        except Trap as trap: write(1, trap.name.encode())
last = Last()
"""
        check_python(code, says="unreachable")


class Binary(unittest.TestCase):
    def test_the_one_binary_uses_the_limited_api_only(self):
        macos = sys.platform == "darwin"
        command = ["nm", "-u" if macos else "-Du", str(OUT / "wasmtrap.abi3.so")]
        names = [line.split()[-1] for line in subprocess.check_output(command, universal_newlines=True).splitlines()]
        # Mach-O puts an underscore before each name of C.
        names = [name[1:] if macos else name for name in names]
        used = [name for name in names if name.startswith(("Py", "_Py"))]
        self.assertIn("PyModuleDef_Init", used)
        self.assertLessEqual({name for name in used if name.startswith("_Py")}, KNOWN_PRIVATE)


# Private by name, and in the stable ABI (PEP 652's list): what the macros of the limited API stand for.
KNOWN_PRIVATE = {
    "_Py_Dealloc", "_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct", "_PyObject_GC_New", "_Py_BuildValue_SizeT",
    "_PyArg_ParseTuple_SizeT", "_PyArg_ParseTupleAndKeywords_SizeT", "_PyObject_CallFunction_SizeT",
}
