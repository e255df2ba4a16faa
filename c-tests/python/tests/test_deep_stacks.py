"""WebAssembly may go deep, and then call Python, which needs a stack as well: there is a trap, or a RecursionError, but
never an end of the process."""

import sys
import threading
import unittest

import wasmtrap
from support import check_python, check_that_traps_are_caught, host_calls_instance

SETUP = """
import functools, json, pickle, threading, sys
import support, wasmtrap
wasmtrap.init()

def nested(depth):
    result = []
    for _ in range(depth): result = [result]
    return result

LISTS = nested(900)
def sort(depth):
    return sorted([depth], key=lambda value: sort(value - 1) if value else 0)
def add(depth):
    return functools.reduce(lambda a, b: add(b - 1) if b else 0, [0, depth])
class Deep:
    def __init__(self, depth): self.depth = depth
    def __getattr__(self, name): return getattr(Deep(self.depth - 1), name) if self.depth else 0

def run(heavy):
    calls = 0
    def call(number):
        nonlocal calls
        calls += 1
        if calls % 64 == 0: heavy()
        return number
    instance = support.host_calls_instance(call)
    try:
        instance.call('recurse_and_call', 0)
    except wasmtrap.Trap as trap:
        assert trap.code == wasmtrap.CODE_STACK_OVERFLOW, vars(trap)
    except RecursionError:
        pass
    assert calls > 64
    # What was taken from Python is given back, and WebAssembly is as good as before.
    assert sum(plain(600)) == 600
    support.check_that_traps_are_caught()

def plain(depth): return [1] + plain(depth - 1) if depth else []
"""

HEAVY = {
    "repr": "repr(LISTS)",
    "json": "json.dumps(LISTS)",
    "pickle": "pickle.dumps(nested(300))",
    "comparing": "LISTS == nested(900)",
    "sorting": "sort(150)",
    "reduce": "add(200)",
    "attributes": "Deep(200).anything",
    "compiling": "compile('-' * 90 + '1', 'x', 'eval')",
}
STACK = 1 << 20


class Deep(unittest.TestCase):
    def test_on_the_main_thread(self):
        for name, heavy in HEAVY.items():
            with self.subTest(name):
                check_python(f"{SETUP}\nrun(lambda: {heavy})")

    def test_on_a_thread_with_a_small_stack(self):
        for name, heavy in HEAVY.items():
            with self.subTest(name):
                check_python(f"{SETUP}\nthreading.stack_size({STACK})\n"
                             f"thread = threading.Thread(target=run, args=(lambda: {heavy},))\n"
                             "failed = []\nthreading.excepthook = lambda *args: failed.append(args)\n"
                             "thread.start(); thread.join()\nassert not failed, failed")

    def test_through_several_instances(self):
        """Each goes down a little before it calls Python, which calls the next."""
        code = """
def down(left):
    depth = 0
    def call(number):
        nonlocal depth
        depth += 1
        if depth == 300:
            depth = 0
            if left: down(left - 1)
            else: heavy()
            raise KeyError
        return number
    try: support.host_calls_instance(call).call('recurse_and_call', 0)
    except KeyError: pass
def work():
    for depth in range(1, 40):
        try: down(depth)
        except (wasmtrap.Trap, RecursionError): done.append(depth)
done = []
threading.stack_size(1 << 20)
thread = threading.Thread(target=work)
thread.start(); thread.join()
assert done and done[-1] == 39, done
support.check_that_traps_are_caught()
"""
        for heavy in "repr(LISTS)", "sort(100)":
            with self.subTest(heavy):
                check_python(f"{SETUP}\ndef heavy(): {heavy}\n{code}")

    def test_shallow_webassembly_leaves_python_alone(self):
        def nested(depth):
            result = []
            for _ in range(depth):
                result = [result]
            return result

        def deep_enough(_):
            lengths.append(len(repr(nested(sys.getrecursionlimit() - 200))))
            return 0

        lengths = []
        wasmtrap.init()
        host_calls_instance(deep_enough).call("call", 0)
        thread = threading.Thread(target=lambda: host_calls_instance(deep_enough).call("call", 0))
        thread.start()
        thread.join()
        self.assertEqual(lengths, [2 * (sys.getrecursionlimit() - 200) + 2] * 2)
        check_that_traps_are_caught()
