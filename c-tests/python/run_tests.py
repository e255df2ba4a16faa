"""Runs every test in every interpreter, each test in a process of its own.

The extension is one binary; each interpreter gets a virtual environment with the packages of requirements.txt. A test
fails if its process says so, dies of a signal, or hangs. The last line is the sum.
"""

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys

import interpreters

HERE = pathlib.Path(__file__).resolve().parent
RUN_ONE = HERE / "tests" / "run_one.py"
SKIPPED = 77
TIMEOUT = 240
WORKERS = 2


class Outcome:
    def __init__(self, name, verdict, text=""):
        self.name, self.verdict, self.text = name, verdict, text


def environment(out):
    # What a user has set for Python is not to change what is tested.
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "WASMTRAP"))}
    return {
        **kept,
        "PYTHONPATH": f"{out}:{HERE / 'tests'}:{HERE}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "WASMTRAP_TEST_OUT": str(out),
    }


def run(command, **kwargs):
    return subprocess.run(
        list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs
    )


def python_to_use(interpreter, venvs, packages):
    """The interpreter in an environment with the packages; without them, where that is allowed, as it is."""
    if packages == "no":
        return interpreter.path
    try:
        return virtual_environment(interpreter, venvs)
    except (RuntimeError, subprocess.SubprocessError) as problem:
        if packages == "yes":
            raise
        print(f"CPython {interpreter.version_text:8} without packages of PyPI: {problem}")
        return interpreter.path


def virtual_environment(interpreter, venvs):
    """The python of the interpreter's environment, made if it is not there or the requirements have changed."""
    requirements = HERE / "requirements.txt"
    wanted = hashlib.sha256(f"{interpreter.identity}{requirements.read_text()}".encode()).hexdigest()
    folder = venvs / f"{interpreter.version_text}-{wanted[:12]}"
    python = folder / "bin" / "python"
    done = folder / "done"
    if done.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--only-binary=:all:"]
    for command in [interpreter.path, "-m", "venv", folder], [*pip, "--requirement", requirements]:
        made = run(command, timeout=900)
        if made.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}\n{made.stdout.decode(errors='replace')}")
    done.touch()
    return python


def test_names(python, out, only):
    listed = run([python, RUN_ONE, "--list", *only], env=environment(out), timeout=TIMEOUT)
    if listed.returncode != 0:
        raise RuntimeError(listed.stdout.decode(errors="replace"))
    return listed.stdout.decode().split()


def run_test(runner, python, out, name, variables=()):
    # In a session of its own, so that what the test has started goes with it.
    process = subprocess.Popen(
        [*runner, str(python), str(RUN_ONE), name], env={**environment(out), **dict(variables)}, cwd=out,
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    try:
        text = process.communicate(timeout=TIMEOUT)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        text = process.communicate()[0].decode(errors="replace")
        return Outcome(name, "FAILED", f"{text}still running after {TIMEOUT} s")
    if process.returncode < 0:
        return Outcome(name, "FAILED", f"{text}died of {signal.Signals(-process.returncode).name}")
    return Outcome(name, {0: "ok", SKIPPED: "skipped"}.get(process.returncode, "FAILED"), text)


def run_interpreter(interpreter, arguments, out):
    try:
        python = python_to_use(interpreter, arguments.venvs.resolve(), arguments.packages)
        names = test_names(python, out, arguments.tests.split())
    except (RuntimeError, subprocess.SubprocessError) as problem:
        return [Outcome("set-up", "FAILED", str(problem))]
    if not names:
        return [Outcome("set-up", "FAILED", "found no test")]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda name: run_test(arguments.runner, python, out, name), names))


def report(interpreter, outcomes):
    verdicts = [outcome.verdict for outcome in outcomes]
    counts = {verdict: verdicts.count(verdict) for verdict in ("ok", "FAILED", "skipped")}
    print(f"CPython {interpreter.version_text:8} {interpreter.path}: {counts['ok']} ok, {counts['FAILED']} failed, "
          f"{counts['skipped']} skipped")
    for outcome in outcomes:
        if outcome.verdict == "skipped":
            print(f"    skipped {outcome.name}: {outcome.text.strip()}")
        elif outcome.verdict == "FAILED":
            print(f"    FAILED {outcome.name}")
            print("        " + "\n        ".join(outcome.text.strip().splitlines()))
    sys.stdout.flush()
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--venvs", required=True, type=pathlib.Path, help="where virtual environments are kept")
    parser.add_argument("--runner", default=[], type=shlex.split, help="a command that runs each test's process")
    parser.add_argument("--tests", default="", help="names of test files without test_, or of tests; all if empty")
    parser.add_argument("--versions", default="", help="such as '3.8 3.12'; all if empty")
    parser.add_argument("--packages", default="yes", choices=["yes", "if-possible", "no"],
                        help="whether to get the packages of requirements.txt; tests that want them are skipped else")
    arguments = parser.parse_args()
    out = arguments.out.resolve()

    interpreters.print_list()
    wanted = arguments.versions.split()
    used = [each for each in interpreters.usable() if not wanted or "%d.%d" % each.version[:2] in wanted]
    if not used:
        sys.exit("no CPython from 3.8 up was found: nothing was tested")
    print(flush=True)
    total = {"ok": 0, "FAILED": 0, "skipped": 0}
    for interpreter in used:
        for verdict, count in report(interpreter, run_interpreter(interpreter, arguments, out)).items():
            total[verdict] += count
    print(f"\nOne extension in {len(used)} interpreters: {', '.join(each.version_text for each in used)}")
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['ok']} passed, {total['FAILED']} failed{skipped}")
    return 1 if total["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
