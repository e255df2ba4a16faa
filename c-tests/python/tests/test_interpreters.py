"""Several interpreters in the process: those that share the GIL, and those that have their own (from 3.12 on)."""

import os
import sys
import threading
import unittest

import wasmtrap
from support import check_python, check_that_traps_are_caught

if sys.version_info >= (3, 13):
    import _interpreters as interpreters

    def create(own_gil):
        return interpreters.create("isolated" if own_gil else "legacy")

    def run(interpreter, code):
        problem = interpreters.exec(interpreter, code)
        if problem is not None:
            raise AssertionError(problem.errdisplay)
else:
    import _xxsubinterpreters as interpreters

    def create(own_gil):
        return interpreters.create(isolated=own_gil) if sys.version_info >= (3, 9) else interpreters.create()

    def run(interpreter, code):
        interpreters.run_string(interpreter, code)


PATHS = f"import sys; sys.path[:] = {sys.path!r}\nimport os; os.environ.update({dict(os.environ)!r})\n"
WORK = PATHS + "import support, wasmtrap\nwasmtrap.init()\nfor _ in range(%d): support.check_that_traps_are_caught()\n"
# An object in a circle, left to whoever ends the interpreter.
KEEP = "kept = support.host_calls_instance(lambda number: kept.call('add', number, 1))\nkept.call('call', 1)\n"


class AllKinds:
    own_gil = False

    def interpreter(self):
        created = create(self.own_gil)
        self.addCleanup(lambda: interpreters.destroy(created))
        return created

    def test_main_first_then_another(self):
        wasmtrap.init()
        check_that_traps_are_caught()
        run(self.interpreter(), WORK % 3)
        check_that_traps_are_caught()

    def test_another_first_then_main(self):
        created = self.interpreter()
        run(created, WORK % 3)
        wasmtrap.init()
        check_that_traps_are_caught()
        run(created, WORK % 3)

    def test_many_come_and_go(self):
        wasmtrap.init()
        for _ in range(10):
            created = create(self.own_gil)
            run(created, WORK % 1)
            interpreters.destroy(created)
            check_that_traps_are_caught()

    def test_each_has_its_own_exceptions(self):
        wasmtrap.init()
        run(self.interpreter(), WORK % 1 + f"assert id(wasmtrap.Trap) != {id(wasmtrap.Trap)}\n")

    def test_objects_alive_at_their_end_do_no_harm(self):
        wasmtrap.init()
        for _ in range(5):
            created = create(self.own_gil)
            run(created, WORK % 1 + KEEP)
            interpreters.destroy(created)
        check_that_traps_are_caught()

    def test_imports_run_in_their_own_interpreter(self):
        wasmtrap.init()
        code = WORK % 1 + """
def call(number):
    import wasmtrap as mine
    assert mine is wasmtrap
    return number + 1
assert support.host_calls_instance(call).call('call', 1) == 2
def fail(number): raise LookupError('mine')
try: support.host_calls_instance(fail).call('call', 1)
except LookupError as problem: assert str(problem) == 'mine'
else: raise AssertionError
"""
        run(self.interpreter(), code)

    def test_inside_of_an_import(self):
        from support import host_calls_instance, trap_of

        wasmtrap.init()
        created = self.interpreter()

        def call(number):
            run(created, WORK % 1)
            return number

        instance = host_calls_instance(call)
        self.assertEqual(trap_of(instance, "call_then_trap", 1).address, 65536)

    def test_side_by_side_on_threads(self):
        wasmtrap.init()
        problems = []

        def work():
            try:
                created = create(self.own_gil)
                run(created, WORK % 30)
                interpreters.destroy(created)
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            check_that_traps_are_caught()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])


class SharedGil(AllKinds, unittest.TestCase):
    pass


if sys.version_info >= (3, 12):

    class OwnGil(AllKinds, unittest.TestCase):
        own_gil = True


class End(unittest.TestCase):
    def test_interpreters_left_at_the_end_do_no_harm(self):
        check_python("import test_interpreters as t\nt.run(t.create(False), t.WORK % 1 + t.KEEP)\n")
