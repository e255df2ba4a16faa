"""Runs the parts of `make check`, several at a time, and prints a table of what came out.

    run-checks.py MAKE JOBS TARGET[:FOLDER[,FOLDER...]]...

The folders are what a part builds in. Parts that share none run at the same time, JOBS at most; a part that names no
folder runs alone. They begin in the order of the arguments, as far as that allows.

Every part runs, whatever came of those before it. Each says how long it took the last time, and that it still runs
where it says nothing for a while. Its output is kept in target/check/. Of the parts that run, the one that began first
is shown as it speaks, the others when it has ended; what
tells of failures is shown again at the end. A part that does not end is ended, with all that it has started. The
counts are the sums of what the part's own runners said at their end (cargo test, prove, or a line 'N passed,
N failed'); a part that counts nothing is one check by itself. The last line is the sum of all.
"""

import contextlib
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading
import time

LOGS = pathlib.Path("target/check")
# Seconds. Far more than the longest part takes on a slow machine beside another, downloads and builds included.
LIMIT = 2400
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


class Screen:
    """Shows what the parts say, one part at a time: the one that began first as it speaks, the next when that ends."""

    def __init__(self, stream=sys.stdout):
        self._stream = stream
        self._lock = threading.Lock()
        self._held = {}

    def begin(self, part):
        with self._lock:
            self._held[part] = []

    def say(self, part, text):
        """
        >>> screen = Screen(sys.stdout)
        >>> screen.begin("a"), screen.begin("b")
        (None, None)
        >>> screen.say("b", "b1\\n"); screen.say("a", "a1\\n"); screen.end("a"); screen.say("b", "b2\\n")
        a1
        b1
        b2
        """
        with self._lock:
            if part == next(iter(self._held)):
                self._stream.write(text)
                self._stream.flush()
            else:
                self._held[part].append(text)

    def shows(self, part):
        with self._lock:
            return part == next(iter(self._held))

    def end(self, part):
        with self._lock:
            first = part == next(iter(self._held))
            if not first:
                # Its turn comes: what is held of it stays, and is written before what began after it.
                self._held[part].append(None)
                return
            del self._held[part]
            while self._held:
                part, lines = next(iter(self._held.items()))
                self._stream.write("".join(line for line in lines if line is not None))
                if None not in lines:
                    lines.clear()
                    break
                del self._held[part]
            self._stream.flush()


def processor_seconds(pid):
    """What a process that has ended, and is not yet waited for, has used with all that it waited for."""
    with contextlib.suppress(OSError, ValueError):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0


class Part:
    """One part of the check: what it builds in, and what came of it."""

    def __init__(self, argument):
        """
        >>> part = Part("check-c:target/c-tests,target/wasm")
        >>> part.target, sorted(part.folders)
        ('check-c', ['target/c-tests', 'target/wasm'])
        """
        self.target, _, folders = argument.partition(":")
        self.folders = frozenset(filter(None, folders.split(",")))
        self.good = False
        self.counts = 0, 0, 0
        self.text = ""
        self.seconds = self.processor = 0
        self.process = None

    def may_run_beside(self, others):
        """
        >>> a, b, c, d = map(Part, ("a:x,y", "b:y", "c:z", "d"))
        >>> [part.may_run_beside([a]) for part in (b, c, d)], c.may_run_beside([d]), d.may_run_beside([])
        ([False, True, False], False, True)
        """
        return all(self.folders and other.folders and not self.folders & other.folders for other in others)

    def run(self, make, screen, limit=LIMIT):
        # The set-up was made by the make that calls us.
        command = [make, "--no-print-directory", "SETUP=no", self.target]
        start = time.monotonic()
        lines, heard = [], [start]
        with open(LOGS / f"{self.target}.log", "w", encoding="utf-8") as log:

            def say(line):
                heard[0] = time.monotonic()
                log.write(line)
                lines.append(line)
                screen.say(self, line)

            def read():
                for line in self.process.stdout:
                    say(line)

            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, text=True, errors="replace", close_fds=False,
                                            start_new_session=True)
            # A thread, because a process that is left over may keep the pipe open for ever.
            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            ends = os.WEXITED | os.WNOWAIT | os.WNOHANG
            while not (ended := os.waitid(os.P_PID, self.process.pid, ends)):
                now = time.monotonic()
                if now - start >= limit:
                    break
                if now - heard[0] >= SILENCE and screen.shows(self):
                    heard[0] = now
                    screen.say(self, f"==== {self.target}: running for {minutes(now - start)}\n")
                time.sleep(0.1)
            self.processor = processor_seconds(self.process.pid)
            if not ended:
                stop(self.process)
            status = self.process.wait()
            reader.join(timeout=20)
            if not ended or reader.is_alive():
                stop(self.process)
                say(f"FAILED: make {self.target} " + ("has left a process running\n" if ended else
                                                      f"was still running after {limit} s\n"))
                status = 1
            self.text = "".join(lines)
        passed, failed, skipped = counts(self.text)
        if status != 0 and failed == 0:
            failed = 1
        if status == 0 and passed == failed == skipped == 0:
            passed = 1
        self.good = status == 0 and failed == 0
        self.counts = passed, failed, skipped
        self.seconds = time.monotonic() - start


def run_all(make, jobs, parts, screen, times):
    """Runs all parts, `jobs` of them at a time."""
    first = time.monotonic()
    waiting, running, ended = list(parts), [], queue.SimpleQueue()

    def run(part):
        try:
            part.run(make, screen)
        finally:
            ended.put(part)

    while waiting or running:
        begins = next((part for part in waiting if part.may_run_beside(running)), None) if len(running) < jobs else None
        if begins:
            waiting.remove(begins)
            running.append(begins)
            screen.begin(begins)
            number = len(parts) - len(waiting)
            after = minutes(time.monotonic() - first)
            screen.say(begins, f"\n==== make {begins.target} ({number} of {len(parts)}, after {after}"
                       f"{times.last(begins.target)})\n")  # fmt: skip
            threading.Thread(target=run, args=(begins,), daemon=True).start()
            continue
        try:
            part = ended.get()
        except KeyboardInterrupt:
            for part in running:
                if part.process:
                    stop(part.process)
            raise
        running.remove(part)
        passed, failed, _ = part.counts
        screen.say(part, f"==== {part.target}: {'ok' if part.good else 'FAILED'}, {passed} passed, {failed} failed, "
                   f"{minutes(part.seconds)}\n")  # fmt: skip
        screen.end(part)
        if part.good:
            times.note(part.target, part.seconds)
    return time.monotonic() - first


def main():
    make, jobs, *arguments = sys.argv[1:]
    if not jobs.isdigit() or int(jobs) < 1:
        sys.exit(f"run-checks.py: JOBS is {jobs!r}; it is the number of parts that run at a time")
    parts = [Part(argument) for argument in arguments]
    LOGS.mkdir(parents=True, exist_ok=True)
    took = run_all(make, int(jobs), parts, Screen(), Times(LOGS / "seconds.json"))

    for part in parts:
        if not part.good:
            print(f"\n==== Of what failed in {part.target} ({LOGS}/{part.target}.log has it all):")
            print("\n".join(signs_of_failure(part.text)))
    width = max(len(part.target) for part in parts)
    print(f"\n{'check':{width}}  result   passed  failed  skipped  seconds  processor")
    for part in parts:
        passed, failed, skipped = part.counts
        print(f"{part.target:{width}}  {'ok' if part.good else 'FAILED':7} {passed:7} {failed:7} {skipped:8} "
              f"{part.seconds:8.0f} {part.processor:10.0f}")  # fmt: skip
    passed, failed, skipped = (sum(part.counts[column] for part in parts) for column in range(3))
    print(f"All of it took {minutes(took)}, and {minutes(sum(part.processor for part in parts))} of processors.")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.stdout.flush()
    # Not by returning: a reader may still wait for a process that has been left over.
    os._exit(0 if all(part.good for part in parts) else 1)


if __name__ == "__main__":
    main()
