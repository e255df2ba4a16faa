"""Runs the harness in the environments of the simulated Mach kernel and prints the matrix.

    run_in_environments.py --kernel PROGRAM --describe PROGRAM --out FOLDER [--environments NAMES] [--groups NAMES]
        [--brief]

A row is an environment and the backend that was asked for (`auto`: none); a column is a group of tests; a cell is
passed/failed/skipped. `choice` are checks of what the library takes and of its reason; `kernel` is one check of a row:
what the kernel reports of all its processes is in order (kernel_report). Output of what failed is shown, and all of it
is kept in FOLDER/matrix/log. The last line is the sum.
"""

import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import time

import groups
from environments import ENVIRONMENTS
from kernel_report import KernelReport

JOBS = 2
COLUMNS = {"choice": "choice", "c-shared": "C, shared", "c-static": "C, static", "adapter": "adapter",
           "spec": "specification", "python": "Python", "kernel": "kernel"}
ASKED = {"auto": {}, "signals": {"WASMTRAP_BACKEND": "signals"}, "mach": {"WASMTRAP_BACKEND": "mach"}}
TAKEN = {"mach": "backend: Mach exception ports", "signals": "backend: signals"}
MOST_LINES = 25


class Row:
    """An environment and a backend that is asked for."""

    def __init__(self, environment, asked, out):
        self.environment, self.asked = environment, asked
        self.folder = out / environment.profile / asked
        self.cells = {}
        self.jobs = []
        self.processes = self.exceptions = 0

    def add(self, column, passed, failed, skipped):
        before = self.cells.get(column, (0, 0, 0))
        self.cells[column] = tuple(map(sum, zip(before, (passed, failed, skipped))))

    @property
    def title(self):
        return f"{self.environment.profile} ({self.asked})"


class Job:
    """One program in one row. `asked` differs from the row's for a choice that has no row of its own."""

    def __init__(self, row, column, program, asked=None):
        self.row, self.column, self.program, self.asked = row, column, program, asked or row.asked
        self.log = row.folder / column / (re.sub(r"[^\w.-]", "-", program.name) + ".log")
        self.report = self.log.with_suffix(".report")

    def run(self, kernel):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # As it would run on a Mac (rules.mk, MATRIX_LIKE_A_MAC).
        like_a_mac = ["--like-a-mac"] if self.column.startswith("c-") else []
        runner = [kernel, f"--profile={self.row.environment.profile}", *like_a_mac,
                  f"--report={self.report.resolve()}", "--"]
        variables = {"EXCEPTION_PORTS": self.row.environment.ports, **ASKED[self.asked]}
        start = time.monotonic()
        outcome = self.program.run(runner, variables)
        outcome.text += f"\n# {time.monotonic() - start:.1f} s\n"
        self.log.write_text(outcome.text, encoding="utf-8")
        return outcome


class Description:
    """What the library takes, looked at like the programs of a group."""

    long = False

    def __init__(self, path, environment, asked):
        self.path, self.environment, self.asked = path, environment, asked
        self.name = f"WASMTRAP_BACKEND={asked}"

    def expected(self):
        """What must be in the description.

        >>> import environments
        >>> Description("", ENVIRONMENTS[0], "auto").expected()
        ['backend: Mach exception ports, because ', 'they are safe here: the process is not hardened']
        >>> refused = environments.without_ports("translated", "by Rosetta")
        >>> Description("", refused, "mach").expected()
        ['refused: the environment variable WASMTRAP_BACKEND is "mach", but ', 'by Rosetta']
        """
        if self.asked == "signals":
            return [f"{TAKEN['signals']}, because the environment variable WASMTRAP_BACKEND asks for them"]
        if self.asked == "mach" and self.environment.takes != "mach":
            return ['refused: the environment variable WASMTRAP_BACKEND is "mach", but ', self.environment.why]
        return [f"{TAKEN[self.environment.takes]}, because ", self.environment.why]

    def run(self, runner, variables):
        text, status = groups.run_program(runner, self.path, variables)
        missing = [part for part in self.expected() if part not in text]
        failed = len(missing) + (status not in (0, 1))
        return groups.Outcome(len(self.expected()) - len(missing), failed, 0,
                              "\n".join([text, f"ended with {status}", *(f"does not say: {part}" for part in missing)]))


def interesting(text):
    """Of an output that is too long to show, the lines that say what went wrong.

    >>> interesting("ok 1 - a\\nnot ok 2 - b\\n#   got: 1\\nok 3")
    ['not ok 2 - b', '#   got: 1']
    """
    lines = text.strip().splitlines()
    telling = [line for line in lines if not re.match(r"ok \d+|1\.\.\d+", line)]
    return telling[:MOST_LINES] + [f"... and {len(telling) - MOST_LINES} lines more"] * (len(telling) > MOST_LINES)


def rows_of(options):
    """The rows, with their jobs."""
    wanted, only = options.environments.split(), options.groups.split()
    unknown = set(wanted) - {environment.profile for environment in ENVIRONMENTS} | set(only) - set(COLUMNS)
    if unknown:
        sys.exit(f"no such environment or group: {', '.join(sorted(unknown))}")
    programs, rows = {}, []
    for environment in ENVIRONMENTS:
        if wanted and environment.profile not in wanted:
            continue
        first = None
        for asked in ASKED:
            row = Row(environment, asked, options.out / "matrix/log")
            first = first or row
            description = Description(options.describe, environment, asked)
            if row is not first and not environment.groups(asked):
                first.jobs.append(Job(first, "choice", description, asked))
                continue
            row.jobs.append(Job(row, "choice", description))
            for group in environment.groups(asked):
                column = group.split()[0]
                if only and column not in only:
                    continue
                if options.brief and column.startswith("c-"):
                    group = f"{column} brief"
                if group not in programs:
                    programs[group] = groups.programs_of(group, options.out)
                row.jobs += [Job(row, column, program) for program in programs[group]
                             if program.name not in environment.without]
            rows.append(row)
    return rows


def finish(job, outcome):
    row = job.row
    if outcome.failed:
        print(f"\nFAILED: {row.title}, {COLUMNS[job.column]}: {job.program.name}")
        print("    " + "\n    ".join(interesting(outcome.text)), flush=True)
    row.add(job.column, outcome.passed, outcome.failed, outcome.skipped)
    report = KernelReport(job.report)
    row.processes += report.processes
    row.exceptions += report.exceptions
    if report.complaints:
        row.cells["kernel"] = (0, 1, 0)
        print(f"\nFAILED: {row.title}, kernel: {job.program.name}")
        print("    " + "\n    ".join(report.complaints[:MOST_LINES]), flush=True)


def wrong_exceptions(row, took):
    """What is wrong about how many exceptions came to ports: none may where the library cannot have any, and some must
    where it has taken them and programs ran."""
    if row.environment.takes == "signals" and row.exceptions:
        return f"{row.exceptions} exceptions came to ports, which this process cannot have"
    if took == "mach" and len(row.jobs) > len(ASKED) and not row.exceptions:
        return "not one exception came to a port"
    return None


def look_at_exceptions(rows):
    for row in rows:
        if wrong := wrong_exceptions(row, taken(row)):
            row.cells["kernel"] = (0, 1, 0)
            print(f"\nFAILED: {row.title}, kernel: {wrong}")


def taken(row):
    text = (row.folder / "choice" / f"WASMTRAP_BACKEND-{row.asked}.log").read_text(encoding="utf-8")
    return next((word for word, line in TAKEN.items() if f"\n{line}" in text), "refused")


def print_table(rows):
    width = max(len(row.environment.profile) for row in rows)
    print(f"\n{'environment':{width}} {'asked':8} {'took':8}" +
          "".join(f"{heading:>15}" for heading in COLUMNS.values()) + f"{'processes':>11}{'exceptions':>12}")
    for row in rows:
        cells = ("/".join(map(str, row.cells[column])) if column in row.cells else "-" for column in COLUMNS)
        print(f"{row.environment.profile:{width}} {row.asked:8} {taken(row):8}" +
              "".join(f"{cell:>15}" for cell in cells) + f"{row.processes:11}{row.exceptions:12}")
    for row in rows:
        for program, reason in row.environment.without.items() if row.asked == "auto" else ():
            print(f"not in {row.environment.profile}: {program} ({reason})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--describe", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--environments", default="", help="names of profiles; all if empty")
    parser.add_argument("--groups", default="", help="names of groups; all if empty")
    parser.add_argument("--brief", action="store_true", help="without the endurance of the C harness")
    options = parser.parse_args()

    listed = subprocess.run([options.kernel, "--list-profiles"], stdout=subprocess.PIPE, text=True, check=True).stdout
    profiles = {line.split()[0] for line in listed.splitlines()}
    if profiles != {environment.profile for environment in ENVIRONMENTS}:
        sys.exit(f"the kernel's profiles and the environments differ: {', '.join(sorted(profiles))}")
    shutil.rmtree(options.out / "matrix/log", ignore_errors=True)
    rows = rows_of(options)
    # The long ones first, so that none is left to run alone at the end.
    jobs = sorted((job for row in rows for job in row.jobs), key=lambda job: not job.program.long)
    print(f"{len(jobs)} programs in {len(rows)} rows", flush=True)
    for row in rows:
        row.cells["kernel"] = (1, 0, 0)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        running = {pool.submit(job.run, options.kernel): job for job in jobs}
        for done in concurrent.futures.as_completed(running):
            finish(running[done], done.result())

    look_at_exceptions(rows)
    print_table(rows)
    passed, failed, skipped = map(sum, zip(*(cell for row in rows for cell in row.cells.values())))
    print(f"passed/failed/skipped, in {time.monotonic() - start:.0f} s; all output is in {options.out}/matrix/log")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
