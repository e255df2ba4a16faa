"""Runs TAP programs in the simulated Mach kernel, each in the host profiles that it is meant for, and prints a table.

    run_in_profiles.py --kernel=PROGRAM --limit=SECONDS --out=FOLDER PROFILES:PROGRAM...

PROFILES are names with commas between. Invariant: a program counts as good only if it came to its plan within the time
limit, said `ok` to every check, and the kernel saw no violation of a port guard in any of its processes, but for those
of an engine that a test plays, which it announces ("# own violations: N"). What a program that failed had to say is
shown, and so are measurements ("# measured: ..."); all output is kept in FOLDER. The last line is the sum.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

CHECK = re.compile(r"^(ok|not ok) \d+(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)(?: # SKIP (.*))?$")
OWN_VIOLATIONS = re.compile(r"^# own violations: (\d+)$", re.MULTILINE)
MEASURED = re.compile(r"^# measured: (.*)$", re.MULTILINE)
SKIP = re.compile(r"# SKIP\b", re.IGNORECASE)


class Outcome:
    """What one run came to."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.complaints = []

    def complain(self, text):
        self.failed += 1
        self.complaints.append(text)

    def __str__(self):
        return f"{self.passed}/{self.failed}/{self.skipped}"


def read_tap(text, outcome):
    """
    >>> outcome = Outcome()
    >>> read_tap("ok 1 - a\\nnot ok 2 - b\\nok 3 - c # SKIP no\\n1..3", outcome)
    >>> str(outcome), outcome.complaints
    ('1/1/1', [])
    >>> outcome = Outcome()
    >>> read_tap("ok 1 - a", outcome)
    >>> str(outcome), outcome.complaints
    ('1/1/0', ['no plan: it did not come to its end'])
    """
    planned = None
    for line in text.splitlines():
        if match := CHECK.match(line):
            if match[1] == "not ok":
                outcome.failed += 1
            elif SKIP.search(match[2]):
                outcome.skipped += 1
            else:
                outcome.passed += 1
        elif match := PLAN.match(line):
            planned = int(match[1])
            if match[2]:
                outcome.skipped += 1
    if planned is None:
        outcome.complain("no plan: it did not come to its end")
    elif planned != outcome.passed + outcome.failed + outcome.skipped and planned != 0:
        outcome.complain(f"{planned} checks were planned")


def read_report(path, text, outcome):
    """The kernel's line for each process: violations of port guards."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    violations = [f"process {task['pid']}: {violation['violation']} by {violation['call']}"
                  for task in map(json.loads, lines) for violation in task["violations"]]
    if not lines:
        outcome.complain("the kernel has reported nothing")
    if len(violations) != sum(map(int, OWN_VIOLATIONS.findall(text))):
        outcome.complain("; ".join(["violations that nobody announced", *violations]))


def run(arguments, profile, program):
    outcome = Outcome()
    name = pathlib.Path(program)
    log = arguments.out / profile / f"{name.parent.name}.{name.stem}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    report = log.with_suffix(".report")
    report.unlink(missing_ok=True)
    command = [arguments.kernel, f"--profile={profile}", f"--report={report}", "--", program]
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            status = process.wait(timeout=arguments.limit)
        except subprocess.TimeoutExpired:
            # All that the kernel traces dies with it.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = None
    text = log.read_text(encoding="utf-8", errors="replace")
    read_tap(text, outcome)
    if status is None:
        outcome.complain(f"it did not end within {arguments.limit} seconds")
    elif status != 0 and outcome.failed == 0:
        outcome.complain(f"exit status {status}")
    read_report(report, text, outcome)
    return profile, program, outcome, text


def show_failure(profile, program, outcome, text):
    print(f"\n---- {program} in {profile}:")
    for line in text.splitlines():
        if not line.startswith("ok "):
            print(f"  {line}")
    for complaint in outcome.complaints:
        print(f"  {complaint}")


def print_table(profiles, programs, outcomes):
    print("\nPassed/failed/skipped, by program and profile:\n")
    for index, profile in enumerate(profiles):
        print(f"  {index + 1:2} {profile}")
    width = max(len(name) for name in programs.values())
    print(f"\n  {'':{width}}" + "".join(f"{index + 1:>8}" for index in range(len(profiles))))
    for program, name in programs.items():
        cells = (outcomes.get((profile, program)) for profile in profiles)
        print(f"  {name:{width}}" + "".join(f"{str(cell) if cell else '-':>8}" for cell in cells))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("programs", nargs="+")
    arguments = parser.parse_args()

    jobs = [(profile, program) for profiles, _, program in (job.partition(":") for job in arguments.programs)
            for profile in profiles.split(",")]
    profiles = list(dict.fromkeys(profile for profile, _ in jobs))
    programs = {program: f"{pathlib.Path(program).parent.name}/{pathlib.Path(program).stem}" for _, program in jobs}
    outcomes, measured = {}, []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        running = [pool.submit(run, arguments, *job) for job in jobs]
        for done in concurrent.futures.as_completed(running):
            profile, program, outcome, text = done.result()
            outcomes[profile, program] = outcome
            measured += [f"{profile}: {line}" for line in MEASURED.findall(text)]
            if outcome.failed:
                show_failure(profile, program, outcome, text)
    print_table(profiles, programs, outcomes)
    if measured:
        print("\nMeasured:\n  " + "\n  ".join(sorted(measured)))
    total = [sum(getattr(outcome, count) for outcome in outcomes.values()) for count in ("passed", "failed", "skipped")]
    print(f"\n{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
