"""Forks: after init, from inside WebAssembly, beside threads that trap, by multiprocessing. Both sides trap on."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import unittest

import wasmtrap
from support import check_python, check_that_traps_are_caught, host_calls_instance, trap_of


def end_of(child):
    """The exit status of a child process, negative for a signal."""
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


def in_child(work):
    """Forks, does the work in the child, and returns how that ended: 0 if it was right."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as problem:
            os.write(2, repr(problem).encode())
            os._exit(1)
    return end_of(child)


def trap_in_process(number):
    """For workers: the trap as it is, and the description of the work."""
    wasmtrap.init()
    check_that_traps_are_caught()
    return trap_of(host_calls_instance(), "load", 65536 + number)


def fail_in_process(number):
    wasmtrap.init()
    host_calls_instance().call("load", 65536 + number)


class Fork(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def test_both_sides_trap_afterwards(self):
        instance = host_calls_instance()
        check_that_traps_are_caught(instance)

        def work():
            check_that_traps_are_caught(instance)
            check_that_traps_are_caught()

        self.assertEqual(in_child(work), 0)
        check_that_traps_are_caught(instance)

    def test_a_child_can_fork(self):
        self.assertEqual(in_child(lambda: self.assertEqual(in_child(check_that_traps_are_caught), 0)), 0)
        check_that_traps_are_caught()

    def test_a_child_crashes_as_ever(self):
        import ctypes
        import resource

        def crash():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            check_that_traps_are_caught()
            ctypes.string_at(0)

        self.assertEqual(in_child(crash), -signal.SIGSEGV)
        check_that_traps_are_caught()

    def test_from_inside_webassembly_both_sides_go_on_in_it(self):
        children = []

        def call(number):
            children.append(os.fork())
            check_that_traps_are_caught()
            return number + 1

        instance = host_calls_instance(call)
        for export, check in [
            ("call", lambda result: self.assertEqual(result, 8)),
            ("call_between", lambda result: self.assertEqual(result % 2, 0)),
        ]:
            result = instance.call(export, 7)
            if children[-1] == 0:
                # The child has come back out of WebAssembly like its parent.
                try:
                    check(result)
                    check_that_traps_are_caught(instance=host_calls_instance())
                    os._exit(0)
                except BaseException:
                    os._exit(1)
            check(result)
            self.assertEqual(end_of(children[-1]), 0)

    def test_from_inside_webassembly_both_sides_trap_in_it(self):
        children = []

        def call(number):
            children.append(os.fork())
            return number

        instance = host_calls_instance(call)
        trap = trap_of(instance, "call_then_trap", 1)
        if children[0] == 0:
            os._exit(0 if (trap.address, trap.frames[0].function) == (65536, "load") else 1)
        self.assertEqual((trap.address, trap.frames[0].function), (65536, "load"))
        self.assertEqual(end_of(children[0]), 0)
        check_that_traps_are_caught(instance)

    def test_from_inside_webassembly_both_sides_raise_through_it(self):
        children = []

        def call(number):
            children.append(os.fork())
            raise LookupError("parent" if children[-1] else "child")

        instance = host_calls_instance(call)
        try:
            instance.call("call_between", 1)
        except LookupError as caught:
            who = str(caught)
        if children[0] == 0:
            os._exit(0 if who == "child" else 1)
        self.assertEqual(who, "parent")
        self.assertEqual(end_of(children[0]), 0)

    def test_beside_threads_that_trap(self):
        stop = threading.Event()
        failed = []

        def trap_on():
            try:
                instance = host_calls_instance()
                while not stop.is_set():
                    check_that_traps_are_caught(instance)
            except BaseException as problem:
                failed.append(problem)

        threads = [threading.Thread(target=trap_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(40):
                self.assertEqual(in_child(check_that_traps_are_caught), 0)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failed, [])

    def test_beside_threads_that_load_and_unload(self):
        stop = threading.Event()

        def load_on():
            while not stop.is_set():
                host_calls_instance()

        thread = threading.Thread(target=load_on)
        thread.start()
        try:
            for _ in range(40):
                self.assertEqual(in_child(check_that_traps_are_caught), 0)
        finally:
            stop.set()
            thread.join()

    def test_from_a_thread(self):
        ends = []
        thread = threading.Thread(target=lambda: ends.append(in_child(check_that_traps_are_caught)))
        thread.start()
        thread.join()
        self.assertEqual(ends, [0])

    def test_an_instance_that_another_thread_was_in_is_refused_in_the_child(self):
        entered, leave = threading.Event(), threading.Event()
        instance = host_calls_instance(nothing=lambda: (entered.set(), leave.wait()) and None)
        thread = threading.Thread(target=instance.call, args=("nothing",))
        thread.start()
        entered.wait()

        def work():
            with self.assertRaises(wasmtrap.Error):
                instance.call("add", 1, 2)
            check_that_traps_are_caught()

        self.assertEqual(in_child(work), 0)
        leave.set()
        thread.join()
        check_that_traps_are_caught(instance)

    def test_exec_and_subprocess_are_as_ever(self):
        check_that_traps_are_caught()
        code = "import signal; print(signal.getsignal(signal.SIGSEGV) == signal.SIG_DFL)"
        self.assertEqual(subprocess.check_output([sys.executable, "-c", code]), b"True\n")


class Multiprocessing(unittest.TestCase):
    def check(self, method):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            traps = pool.map(trap_in_process, range(8), chunksize=2)
            self.assertEqual([trap.address for trap in traps], list(range(65536, 65544)))
            # A trap that a worker lets out comes back as the same exception.
            with self.assertRaises(wasmtrap.Trap) as caught:
                pool.apply(fail_in_process, (5,))
            self.assertEqual((caught.exception.address, caught.exception.frames[0].function), (65541, "load"))
        process = context.Process(target=fail_in_process, args=(0,))
        process.start()
        process.join()
        self.assertEqual(process.exitcode, 1)

    def check_both(self, method):
        self.check(method)
        wasmtrap.init()
        check_that_traps_are_caught()
        self.check(method)
        check_that_traps_are_caught()

    def test_fork(self):
        self.check_both("fork")

    def test_forkserver(self):
        self.check_both("forkserver")

    def test_spawn(self):
        self.check_both("spawn")

    def test_concurrent_futures_processes(self):
        import concurrent.futures

        wasmtrap.init()
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            self.assertEqual([trap.address for trap in pool.map(trap_in_process, range(4))], list(range(65536, 65540)))
            with self.assertRaises(wasmtrap.Trap):
                pool.submit(fail_in_process, 0).result()
        check_that_traps_are_caught()


class End(unittest.TestCase):
    def test_a_forked_child_that_ends_in_the_ordinary_way_is_well(self):
        code = """
import os, support, wasmtrap
wasmtrap.init()
def call(number):
    global child
    child = os.fork()
    return number
instance = support.host_calls_instance(call)
instance.call('call_between', 1)
support.check_that_traps_are_caught()
if child:
    _, status = os.waitpid(child, 0)
    print(status)
"""
        check_python(code, says="0")
