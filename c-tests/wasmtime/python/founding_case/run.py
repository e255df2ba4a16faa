"""The case that this library began with, as a test: Wasmtime in an extension of Apple's Python.

In the simulated Mach kernel, in each profile of a host and in each CPython that is found, three processes:

- stock: asks for what Wasmtime's own Mach code asks for, and runs on if it may;
- signals: the extension with real Wasmtime, told macos_use_mach_ports=False;
- auto: the extension as it comes, which takes Mach ports.

Where the kernel enforces its rule about behaviors (macOS 14.4 and later, in Apple's own programs), stock must be
killed, and nowhere else. The other two must live everywhere, with the same traps and the same messages.
"""

import argparse
import os
import pathlib
import shlex
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "python"))

import interpreters  # noqa: E402, of the folder above

TIMEOUT = 240
# Shells' status of a command that was out of time: none of what a run may come to.
HUNG = 124
KILLED = {"apple-python-14.4", "apple-python-15", "apple-python-26"}

STOCK = """
import ctypes, sys
assert ctypes.CDLL(sys.argv[1]).ask_for_stock_behavior() == 0
print("it lives")
"""
EXTENSION = """
import sys
sys.path[:0] = sys.argv[1:3]
import wasmtime_host
{init}
import support
instance = support.traps_instance()
import test_traps
for function in test_traps.REASONS:
    trap = support.trap_of(instance, function)
    print(function, trap.code, trap)
assert instance.call("go_on") == 1
print("end")
print([line for line in wasmtime_host.describe().splitlines() if line.startswith("backend: ")][0], file=sys.stderr)
"""
SIGNALS = "wasmtime_host.init(macos_use_mach_ports=False)"


def run(runner, python, code, *arguments, environment):
    # In a session of its own, so that what hangs is killed with all that it has started.
    process = subprocess.Popen([*runner, python, "-c", code, *map(str, arguments)], env=environment,
                               start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, universal_newlines=True)
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, HUNG, output, f"{errors}still running after {TIMEOUT} s")
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def outcomes(runner, python, options):
    """What is wrong, in sentences, and the backends of the two that live."""
    tests = pathlib.Path(__file__).resolve().parents[1] / "tests"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "WASMTRAP"))}
    environment.update(PYTHONDONTWRITEBYTECODE="1", WASMTRAP_TEST_OUT=str(options.out),
                       LD_LIBRARY_PATH=str(options.platform))
    stock = run(runner, python, STOCK, options.stock, environment=environment)
    ours = [run(runner, python, EXTENSION.format(init=init), options.out, tests, environment=environment)
            for init in (SIGNALS, "")]
    return stock, ours


def problems(profile, stock, ours):
    expected = (-signal.SIGKILL, "") if profile in KILLED else (0, "it lives\n")
    if (stock.returncode, stock.stdout) != expected:
        yield f"stock ended with {stock.returncode}, not {expected[0]}: {stock.stdout}{stock.stderr}"
    if profile in KILLED and "EXC_GUARD" not in stock.stderr:
        yield f"stock was killed for something else: {stock.stderr}"
    for name, backend, process in zip(("signals", "auto"), ("signals", "Mach exception ports"), ours):
        if process.returncode != 0 or not process.stdout.endswith("end\n"):
            yield f"{name} ended with {process.returncode}: {process.stdout}{process.stderr}"
        elif f"backend: {backend}" not in process.stderr:
            yield f"{name} did not run on {backend}: {process.stderr}"
    if ours[0].stdout != ours[1].stdout:
        yield f"the traps differ:\n{ours[0].stdout}\n{ours[1].stdout}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", required=True, type=shlex.split, help="the simulated kernel's command")
    parser.add_argument("--profiles", required=True, type=str.split)
    parser.add_argument("--stock", required=True, type=pathlib.Path, help="stock_behavior.so")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="where the extension is")
    parser.add_argument("--platform", required=True, type=pathlib.Path, help="where the simulated platform is")
    parser.add_argument("--versions", default="")
    options = parser.parse_args()
    wanted = options.versions.split()
    used = [each for each in interpreters.usable() if not wanted or "%d.%d" % each.version[:2] in wanted]
    if not used:
        sys.exit("no CPython from 3.8 up was found: nothing was tested")
    passed = failed = 0
    for interpreter in used:
        for profile in options.profiles:
            stock, ours = outcomes([*options.kernel, f"--profile={profile}", "--"], interpreter.path, options)
            found = list(problems(profile, stock, ours))
            fate = "killed (EXC_GUARD)" if stock.returncode == -signal.SIGKILL else "lives"
            verdict = "FAILED" if found else "both live, same traps"
            print(f"CPython {interpreter.version_text:8} {profile:20} stock: {fate:20} signals and auto: {verdict}")
            for problem in found:
                print(f"    {problem}")
            passed, failed = passed + (not found), failed + bool(found)
            sys.stdout.flush()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
