"""faulthandler, before and after us: a trap stays an exception, and a crash stays a crash, with its traceback and the
true place."""

import faulthandler
import signal
import unittest

import wasmtrap
from support import EXCEPTION_PORTS, Crash, check_python, check_that_traps_are_caught, crash_of_python, run_python, \
    traps_instance

ALL_KINDS = ("memory", "illegal", "arithmetic")

FAULTHANDLER_FIRST = "import faulthandler; faulthandler.enable(); import wasmtrap; wasmtrap.init()\n"
LIBRARY_FIRST = "import wasmtrap; wasmtrap.init(); import faulthandler; faulthandler.enable()\n"
REARMED = LIBRARY_FIRST + "wasmtrap.rearm()\n"
LIBRARY_ONLY = "import wasmtrap; wasmtrap.init(); import faulthandler\n"
FAULTHANDLER_ONLY = "import faulthandler; faulthandler.enable()\n"
TRAPS = "import support; support.check_that_traps_are_caught()\n"
MEND = "wasmtrap.rearm()\nassert wasmtrap.check() == ()\n"

CRASHES = {
    "a null read by ctypes": "import ctypes; ctypes.string_at(0)\n",
    "a null read by ctypes on another thread":
        "import ctypes, threading; thread = threading.Thread(target=ctypes.string_at, args=(0,))\n"
        "thread.start(); thread.join()\n",
    "faulthandler._sigsegv": "faulthandler._sigsegv()\n",
}


class Traps(unittest.TestCase):
    def test_enabled_before_us_nothing_is_to_be_done(self):
        check_python(FAULTHANDLER_FIRST + "assert wasmtrap.check() == ()\n" + TRAPS)

    def test_enabled_by_an_option_nothing_is_to_be_done(self):
        check_python(LIBRARY_ONLY + "assert faulthandler.is_enabled() and wasmtrap.check() == ()\n" + TRAPS, "-X",
                     "faulthandler")

    def test_enabled_after_us_check_says_so_and_rearm_mends_it(self):
        displaced = f"assert wasmtrap.check() == {ALL_KINDS}, wasmtrap.check()\n"
        check_python(LIBRARY_FIRST + displaced + MEND + "assert faulthandler.is_enabled()\n" + TRAPS)

    def test_enabled_after_us_traps_are_survived_even_before_rearm(self):
        for kind in "('load', -4)", "('recurse_for_ever',)":
            code = ("import support\ninstance = support.host_calls_instance()\n"
                    f"print(support.trap_of(instance, *{kind}).frames[0].function)\n")
            done = run_python(LIBRARY_FIRST + code + TRAPS + MEND + TRAPS)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(done.stdout.strip(), ("load", "recurse"))
            # faulthandler puts ours back after its first traceback.
            self.assertLessEqual(done.stderr.count("Fatal Python error"), 1, done.stderr)

    def test_enabled_after_us_traps_on_other_threads_are_survived_before_rearm(self):
        """The first trap of each kind, by which faulthandler steps back, is a thread's that is alone. Where several
        threads trap at once before that, CPython may die in its own handler: it reads the frames of threads that run,
        and a second thread, between the mark "disabled" and the sigaction after it, raises the signal to itself until
        its alternate stack is used up. (Tried with its writes or its sigaction slowed down: each of 3.8 to 3.13 dies.)
        """
        code = """
import support, threading
done = []
def work(rounds):
    for _ in range(rounds): support.check_that_traps_are_caught()
    done.append(rounds)
def work_in_threads(count, rounds):
    threads = [threading.Thread(target=work, args=(rounds,)) for _ in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
work_in_threads(1, 1)
work_in_threads(4, 20)
print(len(done))
"""
        done = run_python(LIBRARY_FIRST + code)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "5"), done.stderr)
        # Where all faults go to exception ports, no handler hears of them.
        self.assertEqual("Fatal Python error" in done.stderr, EXCEPTION_PORTS != "all", done.stderr)

    def test_enabled_before_and_disabled_after_us_check_says_so_and_rearm_mends_it(self):
        faulthandler.enable()
        wasmtrap.init()
        faulthandler.disable()
        self.assertEqual(wasmtrap.check(), ALL_KINDS)
        wasmtrap.rearm()
        self.assertEqual(wasmtrap.check(), ())
        check_that_traps_are_caught()

    def test_enabled_after_and_disabled_after_rearm_traps_are_caught(self):
        wasmtrap.init()
        faulthandler.enable()
        wasmtrap.rearm()
        faulthandler.disable()
        check_that_traps_are_caught()
        wasmtrap.rearm()
        self.assertEqual(wasmtrap.check(), ())
        check_that_traps_are_caught()

    def test_it_can_come_and_go_many_times(self):
        wasmtrap.init()
        for _ in range(50):
            faulthandler.enable()
            wasmtrap.rearm()
            check_that_traps_are_caught()
            faulthandler.disable()
            wasmtrap.rearm()
            check_that_traps_are_caught()

    def test_enabled_again_after_rearm_check_says_so(self):
        wasmtrap.init()
        for _ in range(20):
            faulthandler.enable()
            wasmtrap.rearm()
            faulthandler.disable()
            faulthandler.enable()
            self.assertEqual(wasmtrap.check(), ALL_KINDS)
            wasmtrap.rearm()
            self.assertEqual(wasmtrap.check(), ())
            check_that_traps_are_caught()

    def test_its_watchdog_and_its_user_signals_work_while_webassembly_runs(self):
        """The watchdog reads the frames of threads that go on running, which CPython does not survive for sure: it is
        set to find this one in the middle of a long call, and taken back as soon as that is over."""
        code = """
import os, signal, support, tempfile
faulthandler.register(signal.SIGUSR1, all_threads=True)
instance = support.host_calls_instance()
watched = tempfile.TemporaryFile()
turns = 30_000_000
# Until a call is long enough on this machine.
while os.fstat(watched.fileno()).st_size == 0 and turns < 2**31:
    faulthandler.dump_traceback_later(0.01, file=watched)
    instance.call('count', turns)
    faulthandler.cancel_dump_traceback_later()
    turns *= 2
for _ in range(20):
    os.kill(os.getpid(), signal.SIGUSR1)
    support.trap_of(instance, 'count_then_trap', 300_000)
watched.seek(0)
print(watched.read().decode().count('Timeout'))
"""
        for setup in FAULTHANDLER_FIRST, REARMED:
            done = run_python(setup + code + TRAPS)
            self.assertEqual((done.returncode, done.stdout.strip()), (0, "1"), done.stderr)
            self.assertEqual(done.stderr.count("Current thread"), 20)
            self.assertNotIn("Fatal", done.stderr)


class Crashes(unittest.TestCase):
    def check_like_without_us(self, setup, crash):
        """A crash dies of SIGSEGV after faulthandler's one traceback, and in the place where it dies without us."""
        without = crash_of_python(FAULTHANDLER_ONLY + crash)
        with_us = crash_of_python(setup + crash)
        for each in without, with_us:
            self.assertEqual(each.killed, signal.SIGSEGV)
            self.assertEqual(each.stderr.count("Fatal Python error: Segmentation fault"), 1, each.stderr)
            self.assertEqual(each.stderr.count("Current thread"), 1, each.stderr)
            self.assertTrue(not each.seen or each.shows_the_place(), each.stops)
        for index in (0, -1) if with_us.seen else ():
            self.assertEqual(Crash.place(with_us.stops[index]), Crash.place(without.stops[index]), with_us.stops)
            for key in "from_kernel", "address":
                self.assertEqual(with_us.stops[index][key], without.stops[index][key], with_us.stops)

    def check_all(self, setup):
        for name, crash in CRASHES.items():
            for before in "", TRAPS:
                with self.subTest(name, after_traps=bool(before)):
                    self.check_like_without_us(setup + before, crash)

    def test_a_crash_with_faulthandler_first(self):
        self.check_all(FAULTHANDLER_FIRST)

    def test_a_crash_with_the_library_first_and_rearmed(self):
        self.check_all(REARMED)

    def test_a_crash_with_the_library_first_before_rearm(self):
        for name, crash in CRASHES.items():
            with self.subTest(name):
                self.check_like_without_us(LIBRARY_FIRST, crash)

    def test_a_crash_in_an_import_is_no_trap(self):
        crash = ("import ctypes, support\n"
                 "support.host_calls_instance(lambda number: len(ctypes.string_at(0))).call('call', 1)\n")
        for setup in FAULTHANDLER_FIRST, REARMED:
            end = crash_of_python(setup + crash)
            self.assertEqual(end.killed, signal.SIGSEGV)
            self.assertEqual(end.stderr.count("Fatal Python error: Segmentation fault"), 1, end.stderr)
            if end.seen:
                self.assertEqual((end.stops[0]["from_kernel"], end.stops[0]["address"]), (True, 0))
                self.assertTrue(end.shows_the_place(), end.stops)
        end = crash_of_python(LIBRARY_ONLY + crash)
        self.assertEqual(end.killed, signal.SIGSEGV)
        self.assertTrue(not end.seen or end.stops[-1]["pc"] == end.stops[0]["pc"], end.stops)

    def test_without_faulthandler_a_crash_dies_where_it_happened(self):
        for before in "", TRAPS:
            end = crash_of_python(LIBRARY_ONLY + before + CRASHES["a null read by ctypes"])
            self.assertEqual(end.killed, signal.SIGSEGV)
            # What was looked at last is the fault itself again, not something that a handler sent.
            for stop in end.stops[-2:]:
                self.assertTrue(stop["from_kernel"], end.stops)
                self.assertEqual((stop["address"], stop["pc"]), (0, end.stops[-1]["pc"]))
            self.assertNotIn("Fatal", end.stderr)

    def test_without_faulthandler_a_sent_signal_kills_as_ever(self):
        end = crash_of_python(LIBRARY_ONLY + CRASHES["faulthandler._sigsegv"])
        without = crash_of_python("import faulthandler\n" + CRASHES["faulthandler._sigsegv"])
        self.assertEqual((end.killed, without.killed), (signal.SIGSEGV, signal.SIGSEGV))
        if end.seen:
            self.assertEqual(Crash.place(end.stops[-1]), Crash.place(without.stops[-1]))


class Description(unittest.TestCase):
    def test_it_says_who_displaced_us(self):
        wasmtrap.init()
        faulthandler.enable()
        text = wasmtrap.describe()
        self.assertNotIn("SIGSEGV: ours", text)
        wasmtrap.rearm()
        self.assertIn("SIGSEGV: ours", wasmtrap.describe())
        self.assertEqual(traps_instance().call("go_on"), 1)
