"""Runs every test in every interpreter, each test in a process of its own: c-tests/python's runner, for the tests here.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "python"))

import run_tests as runner  # noqa: E402, of the folder above

runner.HERE = HERE
runner.RUN_ONE = HERE / "tests" / "run_one.py"

if __name__ == "__main__":
    sys.exit(runner.main())
