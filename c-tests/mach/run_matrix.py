"""Runs every test of the simulated Mach kernel in every host profile, and the controls, and prints two tables.

    run_matrix.py --kernel SIMULATED_XNU --expected FILE [--jobs N] [--tests PROGRAM...] [--controls PROGRAM...]

A test speaks TAP; what it does not say well, how it ends, and a plan that is not kept are failures. A control is to end
as the file says. The output of what went wrong is shown. The last line adds up the checks.
"""

import argparse
import concurrent.futures
import pathlib
import re
import signal
import subprocess
import sys

PATIENCE = 600
RESULT = re.compile(r"^(not )?ok \d+(?: - (.*?))?(?:\s+# (SKIP)\b.*)?$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)(?:\s+# SKIP\b.*)?$", re.IGNORECASE)
GUARD = "EXC_GUARD, GUARD_TYPE_MACH_PORT"


def read_tap(text, status):
    """What TAP says: passed, failed, skipped.

    >>> read_tap("ok 1 - a\\nnot ok 2 - b\\nok 3 - c # SKIP no\\n1..3\\n", 1)
    (1, 1, 1)
    >>> read_tap("1..0 # SKIP not here\\n", 0)
    (0, 0, 1)

    A plan that is missing or not kept, or an end that nothing explains, is a failure more.

    >>> read_tap("ok 1 - a\\n", 0)
    (1, 1, 0)
    >>> read_tap("ok 1 - a\\n1..2\\n", 0)
    (1, 1, 0)
    >>> read_tap("ok 1 - a\\n1..1\\n", -9)
    (1, 1, 0)
    """
    passed = failed = skipped = 0
    planned = None
    for line in text.splitlines():
        if match := RESULT.match(line):
            if match[3]:
                skipped += 1
            elif match[1]:
                failed += 1
            else:
                passed += 1
        elif match := PLAN.match(line):
            planned = int(match[1])
    if planned == 0 and passed + failed + skipped == 0:
        skipped = 1
    elif planned != passed + failed + skipped:
        failed += 1
    elif status != 0 and failed == 0:
        failed += 1
    return passed, failed, skipped


def end_of_control(status, output):
    """How a control ended, in the words of expected.txt.

    >>> end_of_control(0, "120 of 120 traps\\n")
    'traps'
    >>> end_of_control(-9, "simulated-xnu: x [1]: EXC_GUARD, GUARD_TYPE_MACH_PORT, kGUARD_EXC_DESTROY (1)")
    'guard'
    >>> end_of_control(-9, "")
    'ended by SIGKILL'
    >>> end_of_control(0, "119 of 120 traps")
    'exited with 0'
    """
    if status >= 0:
        match = re.search(r"^(\d+) of (\d+) traps$", output, re.MULTILINE)
        all_traps = match is not None and match[1] == match[2] != "0"
        return "traps" if status == 0 and all_traps else f"exited with {status}"
    name = signal.Signals(-status).name
    if name == "SIGKILL" and GUARD in output:
        return "guard"
    if name == "SIGABRT" and "control: " in output:
        return "refused"
    if name in ("SIGSEGV", "SIGILL", "SIGFPE", "SIGBUS"):
        return "signal"
    return f"ended by {name}"


def run(kernel, profile, program):
    command = [kernel, f"--profile={profile}", "--", program]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=PATIENCE, text=True, errors="replace", check=False)
    except subprocess.TimeoutExpired as late:
        text = late.stdout or b""
        return -signal.SIGALRM, text.decode(errors="replace") if isinstance(text, bytes) else text
    return done.returncode, done.stdout


def read_expected(path):
    """Profile to control to its end."""
    rows = {}
    controls = None
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith("# profile"):
            controls = line.split()[2:]
        elif line and not line.startswith("#"):
            profile, *ends = line.split()
            rows[profile] = dict(zip(controls, ends, strict=True))
    return rows


def show(header, text):
    print(f"==== {header}")
    print(text.rstrip())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--expected", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tests", nargs="*", default=[])
    parser.add_argument("--controls", nargs="*", default=[])
    options = parser.parse_args()
    listed = subprocess.run([options.kernel, "--list-profiles"], stdout=subprocess.PIPE, text=True, check=True).stdout
    profiles = [line.split()[0] for line in listed.splitlines()]
    expected = read_expected(options.expected)
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = {(program, profile): pool.submit(run, options.kernel, profile, program)
                for program in options.tests + options.controls for profile in profiles}
        if options.tests:
            table_of_tests(options.tests, profiles, runs, total)
        if options.controls:
            table_of_controls(options.controls, profiles, runs, expected, total)
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


def table_of_tests(programs, profiles, runs, total):
    rows = []
    for program in programs:
        cells = []
        for profile in profiles:
            status, output = runs[program, profile].result()
            counts = read_tap(output, status)
            for index, count in enumerate(counts):
                total[index] += count
            passed, failed, _ = counts
            cells.append("FAIL" if failed else str(passed) if passed else "-")
            if failed:
                show(f"{pathlib.Path(program).stem} in {profile}: status {status}", output)
        rows.append((pathlib.Path(program).stem, cells))
    print("\nChecks that passed, by test and profile (- where the profile has nothing to test):")
    for number, profile in enumerate(profiles, 1):
        print(f"  {number:>2} {profile}")
    print(f"{'':<44}" + "".join(f"{number:>5}" for number in range(1, len(profiles) + 1)))
    for name, cells in rows:
        print(f"{name:<44}" + "".join(f"{cell:>5}" for cell in cells))


def table_of_controls(programs, profiles, runs, expected, total):
    names = [pathlib.Path(program).stem for program in programs]
    print("\nHow the controls end, by profile:")
    print(f"{'':<36}" + "".join(f"{name:<28}" for name in names))
    for profile in profiles:
        cells = []
        for program, name in zip(programs, names, strict=True):
            status, output = runs[program, profile].result()
            end = end_of_control(status, output)
            wanted = expected.get(profile, {}).get(name, "nothing: it is not in the list")
            good = end == wanted
            total[0 if good else 1] += 1
            cells.append(end if good else f"FAIL: {end}, not {wanted}")
            if not good:
                show(f"{name} in {profile}: status {status}", output)
        print(f"{profile:<36}" + "".join(f"{cell:<28}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
