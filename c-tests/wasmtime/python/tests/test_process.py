"""What else lives in a Python process: threads, forks, faulthandler, other signal handlers, a second Wasmtime."""

import importlib.util
import multiprocessing
import os
import signal
import threading
import time
import unittest

import wasmtime_host
from support import calls_instance, check_python, check_that_traps_are_caught, run_python, trap_of

HAVE_WASMTIME = importlib.util.find_spec("wasmtime") is not None
TRAPS = "import support; support.check_that_traps_are_caught()\n"


def run_threads(count, work):
    problems = []

    def guarded():
        try:
            work()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


class Threads(unittest.TestCase):
    def test_threads_trap_at_once(self):
        def work():
            instance = calls_instance()
            for _ in range(100):
                check_that_traps_are_caught(instance)

        run_threads(8, work)

    def test_threads_load_and_instantiate_at_once(self):
        run_threads(8, lambda: [check_that_traps_are_caught() for _ in range(30)])

    def test_many_threads_come_and_go(self):
        for _ in range(100):
            run_threads(2, lambda: trap_of(calls_instance(), "load", -4))

    def test_an_instance_moves_from_thread_to_thread(self):
        instance = calls_instance()
        for _ in range(20):
            run_threads(1, lambda: check_that_traps_are_caught(instance))
        check_that_traps_are_caught(instance)

    def test_a_second_thread_is_told_that_an_instance_is_busy(self):
        inside, leave = threading.Event(), threading.Event()

        def call(number):
            inside.set()
            leave.wait()
            return number

        instance = calls_instance(call)
        results = []
        thread = threading.Thread(target=lambda: results.append(instance.call("call", 5)))
        thread.start()
        inside.wait()
        for use in (lambda: instance.call("add", 1, 2), lambda: instance.read("memory", 0, 1)):
            with self.assertRaises(wasmtime_host.BusyError):
                use()
        leave.set()
        thread.join()
        self.assertEqual(results, [5])
        check_that_traps_are_caught(instance)

    def test_python_runs_while_webassembly_runs(self):
        instance = calls_instance()
        done, ticks = threading.Event(), []
        thread = threading.Thread(target=lambda: (instance.call("count_then_divide", 10**9, 1), done.set()))
        thread.start()
        while not done.is_set():
            ticks.append(1)
            time.sleep(0.001)
        thread.join()
        self.assertGreater(len(ticks), 1)


class Forks(unittest.TestCase):
    def in_child(self, work):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work()
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_a_child_traps(self):
        instance = calls_instance()
        trap_of(instance, "load", -4)
        self.in_child(lambda: check_that_traps_are_caught(instance))
        self.in_child(check_that_traps_are_caught)
        check_that_traps_are_caught(instance)

    def test_a_child_of_a_fork_within_webassembly_goes_on(self):
        def call(number):
            self.in_child(lambda: check_that_traps_are_caught(instance))
            return number + 1

        instance = calls_instance(call)
        self.assertEqual(instance.call("call", 1), 2)

    def test_forks_while_threads_trap_and_load(self):
        stop = threading.Event()

        def work():
            while not stop.is_set():
                check_that_traps_are_caught()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                self.in_child(check_that_traps_are_caught)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def test_multiprocessing(self):
        for method in "fork", "spawn":
            context = multiprocessing.get_context(method)
            process = context.Process(target=check_that_traps_are_caught)
            process.start()
            process.join()
            self.assertEqual(process.exitcode, 0)


class Handlers(unittest.TestCase):
    def test_faulthandler_first(self):
        check_python("import faulthandler; faulthandler.enable()\n" + TRAPS)
        check_python(TRAPS, "-X", "faulthandler")

    def test_faulthandler_later_and_rearmed(self):
        check_python(TRAPS + "import faulthandler, wasmtime_host; faulthandler.enable(); assert wasmtime_host.check()\n"
                     "wasmtime_host.rearm(); assert not wasmtime_host.check()\n" + TRAPS)

    def test_a_crash_stays_a_crash(self):
        crash = "import ctypes; ctypes.string_at(0)\n"
        inside = "support.calls_instance(lambda number: ctypes.string_at(0)).call('call', 1)\n"
        for code in TRAPS + crash, TRAPS + "import ctypes\n" + inside:
            self.assertEqual(run_python(code).returncode, -signal.SIGSEGV)
            done = run_python("import faulthandler; faulthandler.enable()\n" + code)
            self.assertEqual(done.returncode, -signal.SIGSEGV)
            self.assertEqual(done.stderr.count("Fatal Python error: Segmentation fault"), 1, done.stderr)

    def test_signals_arrive_while_webassembly_traps(self):
        seen = []
        signal.signal(signal.SIGALRM, lambda *arguments: seen.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        instance = calls_instance()
        while len(seen) < 50:
            check_that_traps_are_caught(instance)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def test_the_signal_mask_stays(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        check_that_traps_are_caught()
        self.assertEqual(signal.pthread_sigmask(signal.SIG_BLOCK, ()), before)


@unittest.skipUnless(HAVE_WASMTIME, "PyPI has no wasmtime for this interpreter")
class AnotherWasmtime(unittest.TestCase):
    TEXT = """(module
      (import "" "call" (func $call))
      (memory 1)
      (func (export "load") (drop (i32.load (i32.const -1))))
      (func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))
      (func (export "call") (call $call)))"""

    def other(self, call=lambda: None):
        import wasmtime

        store = wasmtime.Store(wasmtime.Engine())
        function = wasmtime.Func(store, wasmtime.FuncType([], []), call)
        exports = wasmtime.Instance(store, wasmtime.Module(store.engine, self.TEXT), [function]).exports(store)

        def check():
            for name in "load", "divide":
                with self.assertRaises(wasmtime.Trap):
                    exports[name](store)
            exports["call"](store)

        return check

    def check_both(self, other, instance):
        for _ in range(20):
            other()
            check_that_traps_are_caught(instance)
        run_threads(4, lambda: (self.other()(), check_that_traps_are_caught()))
        nested = calls_instance(lambda number: other() or number)
        self.assertEqual(nested.call("call", 3), 3)
        self.other(lambda: check_that_traps_are_caught(nested))()

    def test_it_comes_first(self):
        other = self.other()
        other()
        self.check_both(other, calls_instance())

    def test_it_comes_later(self):
        instance = calls_instance()
        check_that_traps_are_caught(instance)
        self.check_both(self.other(), instance)

    def test_it_comes_later_and_we_rearm(self):
        instance = calls_instance()
        other = self.other()
        wasmtime_host.rearm()
        self.check_both(other, instance)
