"""Runs the parts of `make check` one after the other and prints a table of what came out.

    run-checks.py MAKE TARGET...

Every part runs, whatever came of those before it. Each says how long it took the last time, and that it still runs
where it says nothing for a while. Its output is shown as it comes, and kept in target/check/; what
tells of failures in it is shown again at the end. A part that does not end is ended, with all that it has started. The
counts are the sums of what the part's own runners said at their end (cargo test, prove, or a line 'N passed,
N failed'); a part that counts nothing is one check by itself. The last line is the sum of all.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

LOGS = pathlib.Path("target/check")
# Seconds. Far more than the longest part takes on a slow machine, downloads and builds included.
LIMIT = 1500
# After so many seconds without a line, one says that the part still runs.
SILENCE = 30
# Of each part that failed, how many lines are shown again; and how many of those that follow one and belong to it.
SHOWN_AGAIN = 60
SHOWN_BELOW = 12

# The closing lines of the runners: passed, failed, skipped.
CARGO_TEST = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")
PLAIN = re.compile(r"^(?:\S+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
PROVE_ALL = re.compile(r"^Files=\d+, Tests=(\d+),")
# In prove's summary, of each file that did not go well: as a whole, if no test of it failed.
PROVE_FILE = re.compile(r"\(Wstat: .* Tests: \d+ Failed: (\d+)\)$")
PROVE_SKIPPED_FILE = re.compile(r"\.\. skipped: ")
TAP_SKIPPED = re.compile(r"^ok \d+.*# skip", re.IGNORECASE)
# What tells of a failure.
FAILURE = re.compile(r"^\s*not ok|^# .*failed|FAILED|^\s*Failed test|\(Wstat: |\*\*\* |^error|panicked at|still running"
                     r"|cannot go on|[1-9][0-9]* failed")


def counts(text):
    """What the closing lines in a log add up to: passed, failed, skipped.

    >>> counts("test result: FAILED. 7 passed; 1 failed; 2 ignored; 0 measured")
    (7, 1, 2)
    >>> counts("api: 3 passed, 0 failed\\n4 passed, 1 failed, 2 skipped\\nall 9 passed, 0 failed")
    (7, 1, 2)
    >>> counts("ok 3 # skip no such thing\\n"
    ...        "b.t .. skipped: not here\\n"
    ...        "a.t      (Wstat: 0 Tests: 3 Failed: 1)\\n"
    ...        "c.t      (Wstat: 768 (exited 3) Tests: 1 Failed: 0)\\n"
    ...        "Files=4, Tests=6,  0 wallclock secs")
    (4, 2, 2)
    """
    passed = failed = skipped = 0
    for line in text.splitlines():
        if match := CARGO_TEST.match(line) or PLAIN.match(line):
            passed += int(match[1])
            failed += int(match[2])
            skipped += int(match[3] or 0)
        elif match := PROVE_ALL.match(line):
            passed += int(match[1])
        elif match := PROVE_FILE.search(line):
            # prove's total has the failed tests in it.
            passed -= int(match[1])
            failed += max(int(match[1]), 1)
        elif PROVE_SKIPPED_FILE.search(line):
            skipped += 1
        elif TAP_SKIPPED.match(line):
            # Seen where prove shows the tests themselves; its total has the skipped ones in it.
            skipped += 1
            passed -= 1
    return passed, failed, skipped


def signs_of_failure(text):
    """The lines that say what failed, with what is indented below them; the last ones, if nothing says it.

    >>> signs_of_failure("ok 1\\nnot ok 2 - a promise\\n#   failed at a.c:3\\nok 3")
    ['not ok 2 - a promise', '#   failed at a.c:3']
    >>> signs_of_failure("FAILED: a test\\n  why\\n  and where\\nanother")
    ['FAILED: a test', '  why', '  and where']
    >>> signs_of_failure("a.t .. ok\\n# a.c:3: cannot go on\\n# the child exited with 255\\nb.t .. ok")
    ['# a.c:3: cannot go on', '# the child exited with 255']
    >>> signs_of_failure("a\\nb")
    ['a', 'b']
    """
    signs, depth, below = [], None, 0
    for line in text.splitlines():
        indentation = len(line) - len(line.lstrip())
        if FAILURE.search(line):
            signs.append(line)
            depth, below = indentation, 0
        elif depth is not None and below < SHOWN_BELOW and (line[:1] == "#" or line.strip() and indentation > depth):
            signs.append(line)
            below += 1
        else:
            depth = None
    return signs[:SHOWN_AGAIN] or text.splitlines()[-SHOWN_AGAIN:]


def stop(process):
    """Ends all processes of a session: those that belong to other groups of it, too."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
            if session == process.pid:
                os.kill(int(folder.name), signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def minutes(seconds):
    """
    >>> minutes(59.4), minutes(61), minutes(3600)
    ('59 s', '1 min 1 s', '60 min 0 s')
    """
    seconds = round(seconds)
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


class Times:
    """How long each part took the last time, in a file."""

    def __init__(self, path):
        self._path = path
        self._seconds = {}
        with contextlib.suppress(OSError, ValueError):
            self._seconds = json.loads(path.read_text(encoding="utf-8"))

    def last(self, target):
        """In words, in front of a comma; empty if nobody knows."""
        return f", {minutes(self._seconds[target])} the last time" if target in self._seconds else ""

    def note(self, target, seconds):
        self._seconds[target] = round(seconds)
        self._path.write_text(json.dumps(self._seconds, indent=1), encoding="utf-8")


class Reader:
    """Shows what a part says, and keeps it."""

    def __init__(self, process, log):
        self.lines = []
        self._log = log
        self._process = process
        self._heard = time.monotonic()
        # A thread, because a process that is left over may keep the pipe open for ever.
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stdout:
            self._heard = time.monotonic()
            sys.stdout.write(line)
            sys.stdout.flush()
            self._log.write(line)
            self.lines.append(line)

    def wait(self, limit, words):
        """The part's status; None if it was still running after `limit` seconds."""
        start = time.monotonic()
        while (now := time.monotonic()) < start + limit:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(timeout=max(0.01, min(SILENCE, start + limit - now)))
            now = time.monotonic()
            if now - self._heard >= SILENCE:
                print(f"==== {words}: running for {minutes(now - start)}", flush=True)
        return None

    def ended(self):
        self._thread.join(timeout=20)
        return not self._thread.is_alive()


def run(make, target, limit=LIMIT):
    """How a part ended, what it counts, and all that it said."""
    # The set-up was made by the make that calls us.
    command = [make, "--no-print-directory", "SETUP=no", target]
    with open(LOGS / f"{target}.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   text=True, errors="replace", close_fds=False, start_new_session=True)
        reader = Reader(process, log)
        try:
            status = reader.wait(limit, target)
        except KeyboardInterrupt:
            stop(process)
            raise
        if status is None:
            stop(process)
            process.wait()
        ended = reader.ended()
        if status is None or not ended:
            end = f"FAILED: make {target} " + (
                f"was still running after {limit} s" if status is None else "has left a process running")
            print(end)
            log.write(f"{end}\n")
            reader.lines.append(f"{end}\n")
            status = 1
        text = "".join(reader.lines)
    passed, failed, skipped = counts(text)
    if status != 0 and failed == 0:
        failed = 1
    if status == 0 and passed == failed == skipped == 0:
        passed = 1
    return status == 0 and failed == 0, passed, failed, skipped, text


def main():
    make, targets = sys.argv[1], sys.argv[2:]
    LOGS.mkdir(parents=True, exist_ok=True)
    times = Times(LOGS / "seconds.json")
    rows = []
    first = time.monotonic()
    for number, target in enumerate(targets, 1):
        start = time.monotonic()
        print(f"\n==== make {target} ({number} of {len(targets)}, after {minutes(start - first)}{times.last(target)})",
              flush=True)  # fmt: skip
        rows.append((target, *run(make, target), time.monotonic() - start))
        _, good, passed, failed, _, _, seconds = rows[-1]
        print(f"==== {target}: {'ok' if good else 'FAILED'}, {passed} passed, {failed} failed, {minutes(seconds)}")
        if good:
            times.note(target, seconds)

    for target, good, *_, text, _ in rows:
        if not good:
            print(f"\n==== Of what failed in {target} ({LOGS}/{target}.log has it all):")
            print("\n".join(signs_of_failure(text)))
    width = max(len(target) for target in targets)
    print(f"\n{'check':{width}}  result   passed  failed  skipped  seconds")
    for target, good, passed, failed, skipped, _, seconds in rows:
        print(f"{target:{width}}  {'ok' if good else 'FAILED':7} {passed:7} {failed:7} {skipped:8} {seconds:8.0f}")
    passed, failed, skipped = (sum(row[column] for row in rows) for column in (2, 3, 4))
    print(f"All of it took {minutes(time.monotonic() - first)}.")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.stdout.flush()
    # Not by returning: a reader may still wait for a process that has been left over.
    os._exit(0 if all(row[1] for row in rows) else 1)


if __name__ == "__main__":
    main()
