"""Threads: many, short-lived, in pools and event loops, and still there when the interpreter ends."""

import asyncio
import concurrent.futures
import threading
import unittest

import wasmtrap
from support import (check_python, check_that_traps_are_caught, host_calls_instance, run_python, trap_of,
                     wait_for_ended_threads)


def run_threads(work, count):
    """Runs work(number) on that many threads at once; raises what one of them has raised."""
    problems = []

    def guarded(number):
        try:
            work(number)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


class Threads(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def test_threads_trap_side_by_side(self):
        def work(number):
            instance = host_calls_instance()
            for count in range(300):
                address = 65536 + 1000 * number + count
                assert trap_of(instance, "load", address).address == address
                if count % 50 == 0:
                    check_that_traps_are_caught(instance)

        run_threads(work, 16)

    def test_a_thousand_threads_come_and_go(self):
        for _ in range(50):
            run_threads(lambda number: check_that_traps_are_caught(), 20)
        check_that_traps_are_caught()
        wait_for_ended_threads()
        self.assertIn("threads attached: 1", wasmtrap.describe())

    def test_threads_with_the_smallest_stacks_trap(self):
        earlier = threading.stack_size(256 * 1024)
        self.addCleanup(threading.stack_size, earlier)
        run_threads(lambda number: check_that_traps_are_caught(), 4)

    def test_the_gil_is_free_while_webassembly_runs(self):
        # The thread in WebAssembly never comes back. Without the GIL nothing would happen after its start.
        threading.Thread(target=host_calls_instance().call, args=("count", 1 << 60), daemon=True).start()
        for _ in range(20):
            check_that_traps_are_caught()

    def test_an_instance_that_runs_on_another_thread_is_an_error(self):
        entered, leave = threading.Event(), threading.Event()

        def nothing():
            entered.set()
            leave.wait()

        instance = host_calls_instance(nothing=nothing)
        thread = threading.Thread(target=instance.call, args=("nothing",))
        thread.start()
        entered.wait()
        memory = instance.memory()
        for use in (lambda: instance.call("add", 1, 2), lambda: memory.read(0, 1), lambda: memory.write(0, b"1"),
                    lambda: memory.grow(1)):
            with self.assertRaisesRegex(wasmtrap.Error, "another thread"):
                use()
        check_that_traps_are_caught()
        leave.set()
        thread.join()
        check_that_traps_are_caught(instance)

    def test_an_instance_can_go_from_thread_to_thread(self):
        instance = host_calls_instance()
        for _ in range(20):
            run_threads(lambda number: check_that_traps_are_caught(instance), 1)
        check_that_traps_are_caught(instance)

    def test_the_last_reference_may_go_on_another_thread(self):
        for _ in range(20):
            holder = [host_calls_instance()]
            check_that_traps_are_caught(holder[0])
            run_threads(lambda number: holder.clear(), 1)
        check_that_traps_are_caught()


class Pools(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()

    def test_concurrent_futures_hand_traps_on(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(lambda n: host_calls_instance().call("load", n), 65536 + n) for n in range(200)]
            addresses = [future.exception().address for future in futures]
        self.assertEqual(addresses, list(range(65536, 65736)))
        check_that_traps_are_caught()

    def test_asyncio_s_executor_hands_traps_on(self):
        async def one(number):
            loop = asyncio.get_running_loop()
            try:
                await loop.run_in_executor(None, host_calls_instance().call, "load", 65536 + number)
            except wasmtrap.Trap as trap:
                return trap.address

        async def main():
            # In the loop's own thread too.
            check_that_traps_are_caught()
            return await asyncio.gather(*map(one, range(100)))

        self.assertEqual(asyncio.run(main()), list(range(65536, 65636)))

    def test_an_import_may_run_an_event_loop(self):
        def call(number):
            async def main():
                check_that_traps_are_caught()
                await asyncio.sleep(0)
                return number * 2

            return asyncio.run(main())

        instance = host_calls_instance(call)
        self.assertEqual(instance.call("call", 21), 42)
        self.assertEqual(trap_of(instance, "call_then_trap", 1).address, 65536)


SET_UP = "import os, sys, support, threading, time, wasmtrap\nwasmtrap.init()\n"

# What a thread is in when the interpreter ends.
OCCUPATIONS = {
    "in WebAssembly that does not return": "instance.call('count', 1 << 60)",
    "in WebAssembly that returns soon":
        "while True: instance.call('count', 1_000_000)",
    "in WebAssembly that traps": "while True: support.trap_of(instance, 'count_then_trap', 10_000)",
    "trapping all the time": "while True: support.trap_of(instance, 'load', -1)",
    "in an import": "instance.call('nothing')",
    "calling an import all the time": "instance.call('call_for_ever')",
    "in an import that traps": "instance.call('call', 1)",
}

LIVE_THREAD = SET_UP + """
def work():
    def call(number):
        while True: support.trap_of(other, 'load', -1)
    def nothing():
        if %(wait)r: time.sleep(1000)
    other = support.host_calls_instance()
    instance = support.host_calls_instance(call, nothing)
    started.set()
    %(occupation)s
started = threading.Event()
for _ in range(3): threading.Thread(target=work, daemon=True).start()
started.wait()
time.sleep(0.05)
support.check_that_traps_are_caught()
print('end')
"""


class End(unittest.TestCase):
    def test_daemon_threads_do_not_hinder_the_end(self):
        for name, occupation in OCCUPATIONS.items():
            with self.subTest(name):
                code = LIVE_THREAD % {"wait": name == "in an import", "occupation": occupation}
                for _ in range(3):
                    check_python(code, says="end")

    def test_sys_exit_beside_live_threads(self):
        code = LIVE_THREAD % {"wait": False, "occupation": OCCUPATIONS["calling an import all the time"]}
        done = run_python(code + "sys.exit(7)")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "end\n", ""))

    def test_os_exit_inside_of_webassembly(self):
        done = run_python(SET_UP + "support.host_calls_instance(os._exit).call('call', 9)")
        self.assertEqual((done.returncode, done.stderr), (9, ""))

    def test_sys_exit_inside_of_webassembly(self):
        done = run_python(SET_UP + "support.host_calls_instance(sys.exit).call('call', 9)")
        self.assertEqual((done.returncode, done.stderr), (9, ""))

    def test_the_interpreter_waits_for_threads_that_are_no_daemons(self):
        code = SET_UP + """
def work():
    threading.main_thread().join()
    for _ in range(100): support.check_that_traps_are_caught()
    print('end')
threading.Thread(target=work).start()
"""
        check_python(code, says="end")

    def test_atexit_functions_may_trap(self):
        code = SET_UP + """
import atexit
instance = support.host_calls_instance()
def last():
    support.check_that_traps_are_caught(instance)
    support.check_that_traps_are_caught()
    print('end')
atexit.register(last)
"""
        check_python(code, says="end")

    def test_a_foreign_thread_outlives_nothing(self):
        # A thread that Python did not start: it calls Python, which runs WebAssembly, and ends with a record of ours.
        code = SET_UP + """
import ctypes
libc = ctypes.CDLL(None)
@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def work(argument):
    support.check_that_traps_are_caught()
    done.append(1)
    return None
done = []
for _ in range(50):
    thread = ctypes.c_ulong()
    assert libc.pthread_create(ctypes.byref(thread), None, work, None) == 0
    assert libc.pthread_join(thread, None) == 0
print(len(done))
"""
        check_python(code, says="50")
