"""Python's own signals while traps storm: none is lost, on either side."""

import ctypes
import os
import signal
import threading
import unittest

import wasmtrap
from support import check_that_traps_are_caught, crash_of_python, host_calls_instance, told, trap_of

TRAPS = 20_000
SIGNALS = 3000


def storm(instance, count=TRAPS):
    """That many traps, by faults, each where it should be."""
    for number in range(count):
        address = 65536 + number % 1000
        trap = trap_of(instance, "load", address)
        assert (trap.address, trap.source) == (address, "fault") and trap.access in told("read"), vars(trap)


class CountedSignals:
    """Counts each time that Python's own handler in C runs, by the byte that it writes for it."""

    def __enter__(self):
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        os.set_blocking(self.reader, False)
        self.bytes = bytearray()
        self.earlier = signal.set_wakeup_fd(self.writer, warn_on_full_buffer=True)
        return self

    def drain(self):
        try:
            self.bytes += os.read(self.reader, 1 << 20)
        except BlockingIOError:
            pass

    def __exit__(self, *_):
        signal.set_wakeup_fd(self.earlier)
        self.drain()
        os.close(self.reader)
        os.close(self.writer)


class Storm(unittest.TestCase):
    def check_timer(self):
        seen = []
        signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
        instance = host_calls_instance()
        with CountedSignals() as counted:
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            for _ in range(TRAPS // 1000):
                storm(instance, 1000)
                counted.drain()
            # The timer still works when the storm is over.
            before = len(seen)
            while len(seen) < before + 20:
                signal.pause()
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.assertGreater(counted.bytes.count(signal.SIGALRM), 20)
        self.assertEqual(set(counted.bytes), {signal.SIGALRM})
        # Python may run its handler once for several that came together, but not without one.
        self.assertLessEqual(len(seen), len(counted.bytes))

    def test_a_timer_of_1_khz_with_its_handler_first(self):
        signal.signal(signal.SIGALRM, lambda *_: None)
        wasmtrap.init()
        self.check_timer()

    def test_a_timer_of_1_khz_with_the_library_first(self):
        wasmtrap.init()
        self.check_timer()

    def check_counted_signals(self, storming_thread):
        """Queued signals, of which the kernel keeps every one, each sent once; all of them arrive."""
        number = signal.SIGRTMIN + 3
        signal.signal(number, lambda *_: None)
        instance = host_calls_instance()
        sigqueue = ctypes.CDLL(None, use_errno=True).sigqueue
        sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
        failed = []

        def send():
            for value in range(SIGNALS):
                while sigqueue(os.getpid(), number, value) != 0:
                    if ctypes.get_errno() != 11:  # EAGAIN: the queue is full for now
                        failed.append(ctypes.get_errno())
                        return

        def storm_on():
            while sender.is_alive():
                storm(instance, 100)
            storm(instance, 1000)
            done.append(1)

        done = []
        with CountedSignals() as counted:
            sender = threading.Thread(target=send)
            sender.start()
            storming_thread(storm_on)
            sender.join()
            counted.drain()
        self.assertEqual((failed, done), ([], [1]))
        self.assertEqual(counted.bytes.count(number), SIGNALS)
        check_that_traps_are_caught(instance)

    def test_every_queued_signal_arrives_during_traps_on_the_main_thread(self):
        wasmtrap.init()
        self.check_counted_signals(lambda work: work())

    def test_every_queued_signal_arrives_during_traps_on_other_threads(self):
        wasmtrap.init()

        def run(work):
            # Signals go to any thread; the one that traps too.
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

        self.check_counted_signals(run)

    def test_a_signal_handler_may_run_webassembly_that_traps(self):
        wasmtrap.init()
        inner = host_calls_instance()
        outer = host_calls_instance(nothing=lambda: None)
        trapped = []

        def handler(number, frame):
            trapped.append(trap_of(inner, "load", -1).address)
            if len(trapped) == 200:
                raise TimeoutError

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        with self.assertRaises(TimeoutError):
            outer.call("call_for_ever")
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.assertGreaterEqual(len(trapped), 200)
        self.assertEqual(set(trapped), {0xFFFFFFFF})
        check_that_traps_are_caught(outer)

    def test_the_signal_mask_is_as_it_was_after_a_trap(self):
        wasmtrap.init()
        instance = host_calls_instance()
        for mask in set(), {signal.SIGUSR1, signal.SIGTERM}:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            check_that_traps_are_caught(instance)
            self.assertEqual(signal.pthread_sigmask(signal.SIG_BLOCK, []), mask)


class OwnHandlers(unittest.TestCase):
    """signal.signal of a signal that is ours too. A process may send it; that is never a trap."""

    def check_sent_signals_arrive(self, seen):
        for number in signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL:
            os.kill(os.getpid(), number)
            self.assertEqual(seen.pop(), number)
        check_that_traps_are_caught()
        self.assertEqual(seen, [])

    @staticmethod
    def install():
        seen = []
        for number in signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL:
            signal.signal(number, lambda number, frame: seen.append(number))
        return seen

    def test_installed_before_us(self):
        seen = self.install()
        wasmtrap.init()
        self.assertEqual(wasmtrap.check(), ())
        self.check_sent_signals_arrive(seen)

    def test_installed_after_us_check_says_so_and_rearm_mends_it(self):
        wasmtrap.init()
        seen = self.install()
        self.assertEqual(wasmtrap.check(), ("memory", "illegal", "arithmetic"))
        wasmtrap.rearm()
        self.assertEqual(wasmtrap.check(), ())
        self.check_sent_signals_arrive(seen)

    def test_sent_during_webassembly(self):
        seen = self.install()
        wasmtrap.init()
        instance = host_calls_instance(nothing=lambda: None)
        thread = threading.Thread(target=lambda: [os.kill(os.getpid(), signal.SIGSEGV) for _ in range(100)])
        thread.start()
        while thread.is_alive() or not seen:
            storm(instance, 100)
        self.assertEqual(set(seen), {signal.SIGSEGV})

    def test_ignored_before_us_a_sent_signal_is_ignored_and_a_crash_is_none_the_less_one(self):
        signal.signal(signal.SIGSEGV, signal.SIG_IGN)
        wasmtrap.init()
        os.kill(os.getpid(), signal.SIGSEGV)
        check_that_traps_are_caught()
        crash = ("import ctypes, signal, support, wasmtrap\n"
                 "signal.signal(signal.SIGSEGV, signal.SIG_IGN); wasmtrap.init()\n"
                 "support.check_that_traps_are_caught(); ctypes.string_at(0)")
        end = crash_of_python(crash)
        self.assertEqual(end.killed, signal.SIGSEGV)
        places = {(stop["from_kernel"], stop["pc"]) for stop in end.stops[-2:]}
        self.assertTrue(not end.seen or places == {(True, end.stops[-1]["pc"])}, end.stops)
