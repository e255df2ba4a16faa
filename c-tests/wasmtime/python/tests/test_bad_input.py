"""Whatever comes in, an exception comes out, and the process is unharmed."""

import hashlib
import resource
import unittest

import wasmtime_host
from support import MODULES, calls_instance, check_that_traps_are_caught, module, traps_instance

# The compiler's file: a line, the length and the digest of what follows.
LINE, HEADER = b"wasmtrap module\n", 16 + 8 + 32


def pack(compiled):
    return LINE + len(compiled).to_bytes(8, "little") + hashlib.sha256(compiled).digest() + compiled


class Files(unittest.TestCase):
    def setUp(self):
        self.file = (MODULES / "calls.module").read_bytes()
        self.compiled = self.file[HEADER:]
        self.assertEqual(pack(self.compiled), self.file)

    def tearDown(self):
        wasmtime_host.loads(self.file)
        check_that_traps_are_caught()

    def refused(self, file, words):
        with self.assertRaises(wasmtime_host.ModuleError) as caught:
            wasmtime_host.loads(file)
        self.assertIn(words, str(caught.exception))

    def test_a_file_cut_short_anywhere(self):
        for length in [*range(HEADER + 1), *range(HEADER + 1, len(self.file), 97), len(self.file) - 1]:
            self.refused(self.file[:length], "cut short")

    def test_a_file_that_goes_on(self):
        self.refused(self.file + b"\0", "1 bytes after its end")

    def test_a_file_with_a_wrong_byte_anywhere(self):
        for place in [*range(HEADER), *range(HEADER, len(self.file), 97)]:
            damaged = bytearray(self.file)
            damaged[place] ^= 0x10
            self.refused(bytes(damaged), "file")

    def test_what_is_no_file_of_the_compiler_s(self):
        self.refused(b"\0asm\1\0\0\0", "not been compiled")
        self.refused(self.compiled, "bare output of Wasmtime")
        self.refused(b"#!/bin/sh\n", "does not begin as one")
        self.refused(b"", "cut short")
        with self.assertRaises(TypeError):
            wasmtime_host.loads("text")

    def test_contents_that_are_none_of_wasmtime_s(self):
        for compiled in b"", b"\x7fELF", bytes(4096), self.compiled[:4096]:
            self.refused(pack(compiled), "")

    def test_another_wasmtime(self):
        self.refused((MODULES / "another_wasmtime.module").read_bytes(), "compiled with incompatible version '47'")

    def test_another_processor(self):
        with self.assertRaises(wasmtime_host.ModuleError) as caught:
            module("another_processor")
        self.assertIn("compiled for architecture", str(caught.exception))

    def test_a_file_that_is_not_there(self):
        with self.assertRaises(wasmtime_host.ModuleError) as caught:
            module("nonesuch")
        self.assertIn("No such file", str(caught.exception))
        with self.assertRaises(wasmtime_host.ModuleError):
            wasmtime_host.load(MODULES)
        with self.assertRaises(ValueError):
            wasmtime_host.load("a\0b")


class Imports(unittest.TestCase):
    def tearDown(self):
        check_that_traps_are_caught()

    def test_a_missing_import(self):
        for imports in None, {}, {"host": {}}, {"host": []}, {"host": {"call": int}}, {"other": {"call": int}}:
            with self.assertRaises(wasmtime_host.LinkError) as caught:
                module("calls").instantiate(imports)
            self.assertIn("unknown import: `host::", str(caught.exception))

    def test_an_import_of_another_type(self):
        memory = module("sqlite_memory").instantiate()
        with self.assertRaises(wasmtime_host.LinkError) as caught:
            module("wrong_import").instantiate({"env": memory})
        self.assertIn("incompatible import type for `env::memory`", str(caught.exception))

    def test_an_import_that_cannot_be_called(self):
        with self.assertRaises(TypeError):
            module("calls").instantiate({"host": {"call": 5, "values": 6}})
        with self.assertRaises(TypeError):
            module("calls").instantiate(7)
        with self.assertRaises(TypeError):
            module("calls").instantiate({"host": 7})

    def test_a_function_that_returns_something_else(self):
        for result in None, "text", 2**32, (1, 2):
            with self.assertRaises((TypeError, OverflowError)):
                calls_instance(lambda number: result).call("call", 1)
        for result in None, (1, 2, 3), (1, 2, 3, 4, 5), 5:
            with self.assertRaises(TypeError):
                calls_instance(values=lambda *numbers: result).call("values", 1, 2, 3, 4)

    def test_instances_of_two_stores(self):
        with self.assertRaises(wasmtime_host.ArgumentError) as caught:
            module("calls").instantiate({"a": calls_instance(), "b": calls_instance()})
        self.assertIn("another store", str(caught.exception))


class Calls(unittest.TestCase):
    def setUp(self):
        self.instance = calls_instance()

    def tearDown(self):
        check_that_traps_are_caught(self.instance)

    def test_a_wrong_number_of_arguments(self):
        for arguments in (), (1,), (1, 2, 3):
            with self.assertRaises(TypeError) as caught:
                self.instance.call("add", *arguments)
            self.assertIn(f"takes 2 arguments, not {len(arguments)}", str(caught.exception))

    def test_a_wrong_type_of_argument(self):
        for argument in "1", 1.5, None, b"", [1]:
            with self.assertRaises(TypeError):
                self.instance.call("add", 1, argument)
        for argument in 2**32, -(2**31) - 1, 2**70:
            with self.assertRaises(OverflowError):
                self.instance.call("add", 1, argument)
        for argument in b"short", 5, None:
            with self.assertRaises(TypeError):
                self.instance.call("same_vector", argument)
        with self.assertRaises(TypeError):
            self.instance.call("same_reference", "text")

    def test_what_does_not_exist(self):
        for call in ((self.instance.call, "nonesuch"), (self.instance.call, ""), (self.instance.call, "memory"),
                     (self.instance.global_value, "add"), (self.instance.memory_size, "counter"),
                     (self.instance.read, "nonesuch", 0, 1)):
            with self.assertRaises(wasmtime_host.ArgumentError):
                call[0](*call[1:])
        for name in (), (5,), (None,):
            with self.assertRaises(TypeError):
                self.instance.call(*name)

    def test_memory_out_of_its_bounds(self):
        for address, length in (65536, 1), (65535, 2), (2**64 - 1, 1), (2**64 - 1, 2), (0, 65537):
            with self.assertRaises(wasmtime_host.ArgumentError):
                self.instance.read("memory", address, length)
            with self.assertRaises(wasmtime_host.ArgumentError):
                self.instance.write("memory", address, bytes(length))
        with self.assertRaises(ValueError):
            self.instance.read("memory", 0, -1)


class Resources(unittest.TestCase):
    def test_a_memory_that_cannot_grow(self):
        instance = calls_instance()
        for pages in 4, 2**32, 2**64 - 1:
            with self.assertRaises(wasmtime_host.ResourceError):
                instance.grow("memory", pages)
        self.assertEqual(instance.grow("memory", 3), 1)
        check_that_traps_are_caught()

    def test_memory_that_cannot_be_reserved(self):
        module("calls"), traps_instance()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (32 << 30, hard))
        try:
            with self.assertRaises(MemoryError) as caught:
                module("huge").instantiate()
            self.assertIsInstance(caught.exception, wasmtime_host.ResourceError)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        check_that_traps_are_caught()
        module("huge").instantiate()
        check_that_traps_are_caught()


class SetUp(unittest.TestCase):
    def test_a_backend_that_there_is_not(self):
        with self.assertRaises(ValueError):
            wasmtime_host.init("carrier pigeons")
        with self.assertRaises(wasmtime_host.EngineError) as caught:
            wasmtime_host.init("signals", macos_use_mach_ports=True)
        self.assertIn("macos_use_mach_ports", str(caught.exception))
        wasmtime_host.init("signals")
        check_that_traps_are_caught()
        self.assertIn("backend: signals", wasmtime_host.describe())
