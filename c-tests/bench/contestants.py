"""Programs that measure, and asking them. What they say to each other is written down in workers/worker.h."""

import contextlib
import os
import signal
import subprocess

# The longest that an answer may take, in seconds. A start writes 16 MiB of code and fills tables, on a busy machine.
PATIENCE = 120


class WorkerFailed(Exception):
    """A worker ended, or said something that is no answer, or nothing."""


class Worker:
    """A program that waits for questions.

    Pinned workers all run on one processor, so that what one of them meets there (its speed, the neighbours' load), the
    next meets too.
    """

    def __init__(self, command, processor=None):
        self.command = command
        pin = (lambda: os.sched_setaffinity(0, {processor})) if processor is not None else None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                        preexec_fn=pin)
        self.measures, self.absent = [], []
        try:
            self._hear_announcements()
        except WorkerFailed:
            self.end()
            raise

    def __str__(self):
        return " ".join(map(str, self.command))

    def _hear_announcements(self):
        while (line := self._line()) != "ready":
            kind, row, contestant, *reason = line.split(maxsplit=3)
            if kind == "measure":
                self.measures.append((row, contestant))
            elif kind == "absent":
                self.absent.append((row, contestant, *reason))
            else:
                raise WorkerFailed(f"{self}: {line!r} is no announcement")

    def _line(self):
        def give_up(*_):
            raise WorkerFailed(f"{self}: no answer in {PATIENCE} seconds")

        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(PATIENCE)
        line = self.process.stdout.readline()
        signal.alarm(0)
        if not line:
            raise WorkerFailed(f"{self}: ended with status {self.process.wait()}")
        return line.rstrip("\n")

    def measure(self, row, contestant):
        """One round's number."""
        try:
            self.process.stdin.write(f"{row} {contestant}\n")
        except BrokenPipeError:
            pass  # the answer that does not come says how it ended
        answer = self._line()
        try:
            return float(answer)
        except ValueError:
            raise WorkerFailed(f"{self}: {answer!r} is no number") from None

    def end(self):
        """By the end of its input, or else by force."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def measure_in_turn(workers, rounds, warm_up, random, rounds_of=None):
    """{(row, contestant): [a number a round]}.

    In each round every measure has one turn. The measures of a row follow one another at once, in an order that changes
    from round to round, so that a row's numbers of one round were taken under the same conditions: it is they that
    ratios are made of. `rounds_of` names rows that need fewer rounds.
    """
    rows = {}
    for worker in workers:
        for row, contestant in worker.measures:
            rows.setdefault(row, []).append((worker, contestant))
    numbers = {(row, contestant): [] for row in rows for _, contestant in rows[row]}
    for number in range(-warm_up, rounds):
        for row, turns in rows.items():
            if number >= (rounds_of or {}).get(row, rounds):
                continue
            for worker, contestant in random.sample(turns, len(turns)):
                measured = worker.measure(row, contestant)
                if number >= 0:
                    numbers[row, contestant].append(measured)
    return numbers
