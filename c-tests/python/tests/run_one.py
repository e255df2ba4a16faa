"""Runs one unittest in this process, or lists them all.

    run_one.py --list [PART...]    names of all tests, or of those in the files test_PART.py or with PART in their names
    run_one.py NAME                exit status 0: passed; 77: skipped; anything else: failed
"""

import pathlib
import signal
import sys
import unittest

SKIPPED = 77


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def list_tests(parts):
    files = sorted(pathlib.Path(__file__).parent.glob("test_*.py"))
    for test in flatten(unittest.defaultTestLoader.loadTestsFromNames([file.stem for file in files])):
        # A file that cannot be imported is a test that fails, with a name that says so.
        name = test.id()
        if not parts or any(name.split(".")[0] == f"test_{part}" or part in name.split(".")[1:] for part in parts):
            print(name)


def run_test(name):
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromName(name.replace("unittest.loader._FailedTest.", "")).run(result)
    for _, text in result.failures + result.errors:
        print(text)
    for _, reason in result.skipped:
        print(reason)
    if result.skipped and result.wasSuccessful():
        return SKIPPED
    return 0 if result.wasSuccessful() and result.testsRun == 1 else 1


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        list_tests(sys.argv[2:])
    else:
        # What is started in the background by a shell without job control ignores Ctrl-C, and Python leaves it so.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.exit(run_test(sys.argv[1]))
