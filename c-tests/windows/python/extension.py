"""The tests of the CPython extension (c-tests/python/tests) in CPython for Windows, each in a process of its own.

    python.exe extension.py OUT

OUT has the extension, its DLLs and the modules. What has no meaning on Windows is not run, and said below.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2] / "python" / "tests"
RUN_ONE = TESTS / "run_one.py"
FILES = ["traps", "modules", "threads", "setup"]
# By a part of their names, why.
NOT_HERE = {
    ".Interrupts.": "they send themselves a signal",
    "the_description_names_each_signal": "there are no signals; the C harness looks at the description",
    "fault_kinds_that_were_not_asked_for": "it looks for the names of signals",
    "the_one_binary_uses_the_limited_api_only": "it is linked with python3.dll, which exports that alone",
    "a_foreign_thread_outlives_nothing": "its thread is pthread_create's",
}
SKIPPED = 77
WORKERS = 2
TIMEOUT = 240


def run(*arguments):
    return subprocess.run([sys.executable, str(RUN_ONE), *arguments], stdin=subprocess.DEVNULL, timeout=TIMEOUT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)


def reason_not_to_run(name):
    return next((reason for part, reason in NOT_HERE.items() if part in name), None)


def main():
    os.environ["WASMTRAP_TEST_OUT"] = str(pathlib.Path(sys.argv[1]).resolve())
    listed = run("--list", *(sys.argv[2:] or FILES))
    assert listed.returncode == 0, listed.stdout
    names = []
    for name in listed.stdout.split():
        if reason_not_to_run(name) is None:
            names.append(name)
        else:
            print(f"# not here: {name}: {reason_not_to_run(name)}")
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(run, names))
    for number, (name, done) in enumerate(zip(names, outcomes), 1):
        good = done.returncode in (0, SKIPPED)
        failures += not good
        skip = f" # SKIP {' '.join(done.stdout.split())}" if done.returncode == SKIPPED else ""
        print(f"{'ok' if good else 'not ok'} {number} - {name}{skip}", flush=True)
        if not good:
            print("\n".join(f"# {line}" for line in [f"exit status {done.returncode}", *done.stdout.splitlines()]),
                  flush=True)
    print(f"1..{len(names)}")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
