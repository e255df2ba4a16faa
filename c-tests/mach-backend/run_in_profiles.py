"""Runs TAP programs in the simulated Mach kernel, each in the host profiles that it is meant for, and prints a table.

    run_in_profiles.py --kernel=PROGRAM --limit=SECONDS --out=FOLDER PROFILES:PROGRAM...

PROFILES are names with commas between. Invariant: a program counts as good only if it came to its plan within the time
limit, said `ok` to every check, and the kernel saw no violation of a port guard in any of its processes, fatal or not.
What a program that failed had to say is shown, and so are measurements ("# measured: ..."); all output is kept in
FOLDER. The last line is the sum.
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

from run_matrix import read_tap

MEASURED = re.compile(r"^# measured: (.*)$", re.MULTILINE)


class Outcome:
    """What one run came to."""

    def __init__(self, text, status):
        self.passed, self.failed, self.skipped = read_tap(text, status)
        self.complaints = []

    def complain(self, text):
        self.failed += 1
        self.complaints.append(text)

    def __str__(self):
        return f"{self.passed}/{self.failed}/{self.skipped}"


def read_report(path, outcome):
    """The kernel's line for each process: violations of port guards."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    violations = [f"process {task['pid']}: {violation['violation']} by {violation['call']}"
                  for task in map(json.loads, lines) for violation in task["violations"]]
    if not lines:
        outcome.complain("the kernel has reported nothing")
    if violations:
        outcome.complain("; ".join(violations))


def run(arguments, profile, program):
    name = pathlib.Path(program)
    log = arguments.out / profile / f"{name.parent.name}.{name.stem}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    report = log.with_suffix(".report")
    report.unlink(missing_ok=True)
    command = [arguments.kernel, f"--profile={profile}", "--like-a-mac", f"--report={report}", "--", program]
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
    outcome = Outcome(text, -signal.SIGKILL if status is None else status)
    outcome.complaints.append(f"status {status}" if status is not None else f"no end within {arguments.limit} seconds")
    read_report(report, outcome)
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
