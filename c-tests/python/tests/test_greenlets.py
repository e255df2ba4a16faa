"""Greenlets: a Python function that WebAssembly calls switches to another greenlet, which calls WebAssembly too. The
protected calls of each go with it, in whatever order they go on."""

import gc
import importlib.util
import random
import threading
import unittest

import wasmtrap
from support import check_that_traps_are_caught, host_calls_instance, module, trap_of

HAVE_GREENLETS = all(importlib.util.find_spec(name) is not None for name in ("greenlet", "gevent"))
if HAVE_GREENLETS:
    import gevent
    from greenlet import GreenletExit, getcurrent, greenlet
needs_greenlets = unittest.skipUnless(HAVE_GREENLETS, "greenlet or gevent is not installed for this interpreter")

PAST_THE_END = 0x10000


def throws_instance(call):
    return module("throws").instantiate({"host": {"call": call}})


@needs_greenlets
class Interleaving(unittest.TestCase):
    def setUp(self):
        wasmtrap.init()
        self.hub = getcurrent()

    def suspended(self, run):
        """A greenlet that runs `run(switch_away)`, suspended where that calls `switch_away`."""
        new = greenlet(lambda: run(self.hub.switch))
        new.switch()
        self.assertFalse(new.dead)
        return new

    def traps_after_the_host(self, instance):
        trap = trap_of(instance, "call_then_trap", 1)
        self.assertEqual((trap.name, trap.address), ("out of bounds memory access", PAST_THE_END))

    def test_calls_end_in_every_order(self):
        def run(switch_away):
            instance = host_calls_instance(lambda number: switch_away() or number)
            self.assertEqual(instance.call("call", 7), 7)

        for order in (0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0):
            greenlets = [self.suspended(run) for _ in range(3)]
            for index in order:
                check_that_traps_are_caught()
                greenlets[index].switch()
                self.assertTrue(greenlets[index].dead)
            check_that_traps_are_caught()

    def test_each_trap_lands_in_the_call_of_its_greenlet(self):
        def run(switch_away):
            self.traps_after_the_host(host_calls_instance(lambda number: switch_away() or number))
            check_that_traps_are_caught()

        for order in (0, 1, 2), (2, 1, 0), (1, 0, 2):
            greenlets = [self.suspended(run) for _ in range(3)]
            for index in order:
                greenlets[index].switch()
                self.assertTrue(greenlets[index].dead)

    def test_what_an_import_raises_arrives_in_its_greenlet(self):
        caught = []

        def run(switch_away):
            def refuse(number):
                switch_away()
                raise KeyError(number)
            try:
                host_calls_instance(refuse).call("call", len(caught))
            except KeyError as error:
                caught.append((getcurrent(), error.args))

        first, second = self.suspended(run), self.suspended(run)
        first.switch()
        second.switch()
        self.assertEqual(caught, [(first, (0,)), (second, (0,))])
        check_that_traps_are_caught()

    def test_greenlets_share_an_instance(self):
        """The machine's side of it: what WebAssembly makes of being entered in between is WebAssembly's business."""
        switches = {}
        instance = host_calls_instance(lambda number: switches[getcurrent()]() or number)

        def run(switch_away):
            switches[getcurrent()] = switch_away
            self.assertEqual(instance.call("call", 5), 5)
            self.traps_after_the_host(instance)
            self.assertEqual(instance.call("call", 6), 6)

        for order in (0, 1, 0, 0, 1, 1), (0, 1, 1, 1, 0, 0), (1, 0, 1, 0, 1, 0):
            greenlets = [self.suspended(run), self.suspended(run)]
            for index in order:
                greenlets[index].switch()
            self.assertTrue(all(each.dead for each in greenlets))
        # It is free again for other threads.
        thread = threading.Thread(target=check_that_traps_are_caught)
        thread.start()
        thread.join()
        results = []
        switches.clear()
        other = host_calls_instance()
        thread = threading.Thread(target=lambda: results.append(instance.call("add", 2, 3)))
        thread.start()
        thread.join()
        self.assertEqual((results, other.call("add", 2, 3)), ([5], 5))

    def test_an_instance_with_a_suspended_call_is_its_threads(self):
        instance = host_calls_instance(lambda number: self.hub.switch() or number)
        suspended = greenlet(lambda: instance.call("call", 1))
        suspended.switch()
        errors = []

        def use():
            try:
                instance.call("add", 2, 3)
            except wasmtrap.Error as error:
                errors.append(str(error))

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        self.assertEqual(errors, ["the instance is running on another thread"])
        self.assertEqual(instance.call("add", 2, 3), 5)
        suspended.switch()
        self.assertEqual(instance.call("add", 2, 3), 5)

    def test_deep_stacks_are_copied_away_and_back(self):
        """greenlet keeps a suspended stack in the heap where another one needs its place."""
        def run(depth, switch_away):
            def down(number):
                if number == 0:
                    switch_away()
                    return 0
                return instance.call("recurse_through_host", number)
            instance = host_calls_instance(down)
            self.assertEqual(instance.call("recurse_through_host", depth), depth)
            self.traps_after_the_host(host_calls_instance())

        greenlets = [self.suspended(lambda switch_away, depth=depth: run(depth, switch_away))
                     for depth in (40, 3, 60, 1)]
        check_that_traps_are_caught()
        for index in (2, 0, 3, 1):
            greenlets[index].switch()
            self.assertTrue(greenlets[index].dead)
        check_that_traps_are_caught()

    def test_exceptions_of_webassembly_go_to_the_handler_of_their_greenlet(self):
        def run(number, switch_away):
            instance = throws_instance(lambda _: switch_away() or None)
            self.assertEqual(instance.call("throw_after_the_host", number), number)
            self.assertEqual(trap_of(instance, "throw_uncaught", number).code, wasmtrap.CODE_UNCAUGHT_EXCEPTION)

        for order in (0, 1, 0, 1), (1, 0, 0, 1), (0, 0, 1, 1), (1, 1, 0, 0):
            greenlets = [self.suspended(lambda switch_away, number=number: run(number, switch_away))
                         for number in (11, 22)]
            for index in order:
                greenlets[index].switch()
            self.assertTrue(all(each.dead for each in greenlets))

    def test_a_greenlet_that_is_thrown_away_ends_its_call(self):
        ended = []

        def run(switch_away):
            def suspend(number):
                try:
                    switch_away()
                except GreenletExit:
                    ended.append(number)
                    raise
                return number
            host_calls_instance(suspend).call("call", 3)

        suspended = self.suspended(run)
        del suspended
        gc.collect()
        self.assertEqual(ended, [3])
        check_that_traps_are_caught()

    def test_many_orders(self):
        choice = random.Random(4)

        def run(switch_away):
            def call(number):
                switch_away()
                return instance.call("call", number - 1) if number > 0 else 0
            instance = host_calls_instance(call)
            for _ in range(10):
                if choice.random() < 0.5:
                    instance.call("call", choice.randrange(4))
                else:
                    self.traps_after_the_host(instance)

        greenlets = [self.suspended(run) for _ in range(8)]
        while greenlets:
            each = choice.choice(greenlets)
            each.switch()
            greenlets = [each for each in greenlets if not each.dead]
        check_that_traps_are_caught()


@needs_greenlets
class Gevent(unittest.TestCase):
    def test_sleeping_in_an_import(self):
        wasmtrap.init()
        done = []

        def work(number):
            instance = host_calls_instance(lambda value: gevent.sleep(0) or value)
            for i in range(50):
                self.assertEqual(instance.call("call", i), i)
                self.assertEqual(trap_of(instance, "call_then_trap", i).address, PAST_THE_END)
            done.append(number)

        gevent.joinall([gevent.spawn(work, number) for number in range(10)], raise_error=True)
        self.assertEqual(sorted(done), list(range(10)))
        check_that_traps_are_caught()

    def test_a_timeout_in_an_import(self):
        wasmtrap.init()
        instance = host_calls_instance(lambda value: gevent.sleep(60) or value)
        for _ in range(3):
            with self.assertRaises(gevent.Timeout):
                with gevent.Timeout(0.01):
                    instance.call("call", 1)
            check_that_traps_are_caught()

    def test_on_several_threads(self):
        wasmtrap.init()
        done = []

        def on_thread():
            def work():
                instance = host_calls_instance(lambda value: gevent.sleep(0) or value)
                for i in range(20):
                    self.assertEqual(trap_of(instance, "call_then_trap", i).address, PAST_THE_END)
            gevent.joinall([gevent.spawn(work) for _ in range(4)], raise_error=True)
            done.append(1)

        threads = [threading.Thread(target=on_thread) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(done), 3)
