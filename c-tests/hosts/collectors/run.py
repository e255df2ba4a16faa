"""Runs the hosts whose collectors stop threads by signals: without the library, with it set up, and with traps.

    run.py --library LIBTRAPPING --programs FOLDER [--runs N] [--hosts 'boehm sbcl'] [--limit SECONDS]

Each run ends well if the host kept all that its threads still had, and every trap was one. A table tells how many did;
the exit status is 0 if all did. Where the host fails without the library too, the machine is to blame, and it says so.
"""

import argparse
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODES = "plain", "init", "traps"

# Guile 3.0.8 crashes by itself: two of 200 runs without the library did, on a busy machine, with and without its
# compiler of machine code. Of a few runs of such a host one may end badly, of more a tenth. Where live objects are
# lost, all of them do.
CRASH_BY_THEMSELVES = {"guile"}


def hosts(library, programs):
    """A host's command up to the mode, and how many rounds its threads make: a second or so."""
    return {
        "boehm": ([programs / "boehm"], 4000),
        "d": ([programs / "threads_d"], 4000),
        "guile": (["guile", "--no-auto-compile", HERE / "threads.scm", library], 600),
        "ecl": (["ecl", "--norc", "--shell", HERE / "threads.ecl.lisp", "--", library], 200),
        "mono": (["mono", programs / "threads.exe"], 1000),
        "sbcl": (["sbcl", "--script", HERE / "threads.lisp", library], 1000),
    }


def run(command, mode, rounds, limit, folder):
    """None if the host ended well, else what happened. Mono finds the library by its name."""
    try:
        done = subprocess.run([*map(str, command), mode, str(rounds)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=limit,
                              env={**os.environ, "LD_LIBRARY_PATH": str(folder)})
    except subprocess.TimeoutExpired:
        return f"still running after {limit} s"
    except FileNotFoundError as missing:
        return f"{missing.filename} is not installed"
    text = done.stdout.decode(errors="replace").strip()
    if done.returncode == 0 and "0 lists lost, 0 traps missed" in text:
        return None
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
    return f"{how}: {text[:200]}" if text else how


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", dest="trapping", required=True, type=pathlib.Path,
                        help="trapping.c as a shared library")
    parser.add_argument("--programs", required=True, type=pathlib.Path, help="where the compiled hosts are")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--limit", type=int, default=240, help="seconds that a run may take on a busy machine")
    parser.add_argument("--hosts", default="", help="names; all if empty")
    parser.add_argument("--modes", default=" ".join(MODES))
    arguments = parser.parse_args()
    all_hosts = hosts(arguments.trapping.resolve(), arguments.programs.resolve())
    folder = arguments.trapping.resolve().parent
    failed = False
    for name in arguments.hosts.split() or all_hosts:
        command, rounds = all_hosts[name]
        for mode in arguments.modes.split():
            # Nothing is to be found out by doing it again without the library.
            runs = 1 if mode == "plain" else arguments.runs
            excused = max(1, runs // 10) if name in CRASH_BY_THEMSELVES else 0
            runs += excused
            outcomes = [run(command, mode, rounds, arguments.limit, folder) for _ in range(runs)]
            bad = [outcome for outcome in outcomes if outcome is not None]
            failed = failed or len(bad) > excused
            print(f"{name:6} {mode:6} {runs - len(bad)} of {runs} ended well", flush=True)
            for outcome in sorted(set(bad)):
                print(f"    {bad.count(outcome)} times {outcome}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
