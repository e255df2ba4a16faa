"""The groups of tests: which programs they have, how each is run, and what came of it.

Every program is run by itself, with a limit of time, in a session of its own that is killed as a whole when the time is
over: a simulated kernel that hangs fails the program and holds nothing up.
"""

import dataclasses
import os
import pathlib
import re
import signal
import subprocess

import environments
import interpreters
import run_tests
from run_matrix import read_tap

# Far more than any program takes on a busy machine.
LIMIT = 240
SPEC_COUNTS = re.compile(r"^counts: failed (\d+)((?: [a-z]+ \d+)+)$", re.MULTILINE)


@dataclasses.dataclass
class Outcome:
    """What a program came to."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    text: str = ""


def killed(status, text):
    """An end by SIGKILL is how the kernel punishes a violation.

    >>> killed(-9, "x")
    'x\\nended by SIGKILL'
    >>> killed(0, "x")
    'x'
    """
    return f"{text}\nended by {signal.Signals(-status).name}" if status < 0 else text


def run_program(runner, program, environment):
    """The output of a program and how it ended; a status that no process has if its time was over."""
    process = subprocess.Popen([*runner, str(program)], env={**os.environ, **environment}, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output = process.communicate(timeout=LIMIT)[0]
        return output.decode(errors="replace"), process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0]
        return f"{output.decode(errors='replace')}\nstill running after {LIMIT} s", -signal.SIGKILL


class TapProgram:
    """A program of the C harness or of the WebAssembly runtime's tests."""

    def __init__(self, path, folder):
        self.path = path
        self.name = str(path.relative_to(folder).with_suffix(""))
        self.long = self.name in environments.ENDURANCE

    def run(self, runner, environment):
        text, status = run_program(runner, self.path, environment)
        return Outcome(*read_tap(text, status), killed(status, text))


class SpecProgram:
    """One file of the specification's suite."""

    long = False

    def __init__(self, path, folder):
        self.path = path
        self.name = str(path.parent.relative_to(folder))

    def run(self, runner, environment):
        text, status = run_program(runner, self.path, environment)
        return read_spec(text, status)


def read_spec(text, status):
    """What a program of the suite says of itself.

    >>> outcome = read_spec("counts: failed 1 module 2 action 0 return 30 trap 4\\n", 0)
    >>> outcome.passed, outcome.failed
    (36, 1)
    >>> outcome = read_spec("counts: failed 0 module 2\\n", -11)
    >>> outcome.passed, outcome.failed
    (2, 1)
    >>> read_spec("", 0).failed
    1
    """
    counts = SPEC_COUNTS.search(text)
    if counts is None:
        return Outcome(0, 1, 0, killed(status, text))
    failed = int(counts[1])
    if status != 0 and failed == 0:
        failed = 1
    return Outcome(sum(map(int, re.findall(r"\d+", counts[2]))), failed, 0, killed(status, text))


class PythonTest:
    """One test of c-tests/python."""

    def __init__(self, python, out, name):
        self.python, self.out, self.name = python, out, name
        self.long = "Stability" in name or "thousand" in name

    def run(self, runner, environment):
        outcome = run_tests.run_test(runner, self.python, self.out, self.name, environment)
        counts = {"ok": (1, 0, 0), "FAILED": (0, 1, 0), "skipped": (0, 0, 1)}[outcome.verdict]
        return Outcome(*counts, outcome.text)


def python_tests(out, venvs):
    """The tests, in one interpreter: 3.9 if it is there, as Apple's, else the oldest."""
    usable = interpreters.usable()
    if not usable:
        raise RuntimeError("no CPython from 3.8 up was found")
    interpreter = next((each for each in usable if each.version[:2] == (3, 9)), usable[0])
    python = run_tests.virtual_environment(interpreter, venvs)
    return [PythonTest(python, out, name) for name in run_tests.test_names(python, out, [])]


def programs_of(group, out):
    """The programs of a group, from the folder of all that is built."""
    def below(folder, pattern, kind):
        return [kind(path, folder) for path in sorted(folder.glob(pattern))]

    name, *brief = group.split()
    if name == "python":
        found = python_tests((out / "python").resolve(), pathlib.Path("target/python/venv").resolve())
    else:
        found = {
            "c-shared": lambda: below(out / "c-tests/capi/shared", "*/*.t", TapProgram),
            "c-static": lambda: below(out / "c-tests/capi/static", "*/*.t", TapProgram),
            "adapter": lambda: below(out / "wasm/shared/tests", "*.t", TapProgram),
            "spec": lambda: below(out / "wasm/suite/shared", "*/*/program", SpecProgram),
        }[name]()
    if not found:
        raise RuntimeError(f"{group}: there are no programs")
    return [program for program in found if not (brief and program.long)]
