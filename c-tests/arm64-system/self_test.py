"""What the other checks rely on: the emulated machine tells every end and every byte, and says so when it cannot.

    self_test.py OUT PYTHON run.py OPTION...      the command that runs something there, all but --out

Each promise is tried with programs that need it; TAP.
"""

import json
import pathlib
import subprocess
import sys

BYTES = 100_000

# A name, a command, and what is to come of it: streams, and the end.
COMMANDS = [
    ("exit", "sh -c 'echo said; echo complained >&2; exit 7'", {"out": "said\n", "err": "complained\n"}, ["exit", 7]),
    ("signal", "sh -c 'kill -SEGV $$'", {}, ["signal", 11]),
    ("unkind signal", "sh -c 'kill -KILL $$'", {}, ["signal", 9]),
    ("environment", "A='one two' B=%20 sh -c 'echo \"$A|$B|$PWD\"'", {"out": f"one two|%20|{pathlib.Path.cwd()}\n"},
     ["exit", 0]),
    ("left behind", "sh -c 'sleep 600 & echo done'", {"out": "done\n"}, ["exit", 0]),
    ("much", f"sh -c 'yes 0123456789abcde | head -c {BYTES}'", {"out": "0123456789abcde\n" * (BYTES // 16)},
     ["exit", 0]),
    ("any byte", r"""sh -c "printf '\0\1\r\n@ 0 0 exit 0 %%\377'" """, {"out": "\0\1\r\n@ 0 0 exit 0 %\udcff"},
     ["exit", 0]),
    ("not there", "no-such-program", {"err": "init: no-such-program: No such file or directory\n"}, ["exit", 127]),
]  # fmt: skip

checks = 0


def check(good, name, *notes):
    global checks
    checks += 1
    print(f"{'ok' if good else 'not ok'} {checks} - {name}")
    for note in notes if not good else ():
        print(f"#   {note}")


def text_of(result, stream):
    return "".join(text for kind, text in result["output"] if kind == stream)


def run(command, out, arguments):
    """Its status. What it says goes to a file: a machine that dies says much."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "said", "wb") as said:
        whole = [*command, "--out", out, *arguments]
        return subprocess.run(whole, stdin=subprocess.DEVNULL, stdout=said, stderr=said).returncode


def run_list(command, out, commands):
    out.mkdir(parents=True, exist_ok=True)
    listed = out / "self-test.list"
    listed.write_text("".join(f"{name}: {line}\n" for name, line in commands), encoding="utf-8")
    status = run(command, out, ["--list", listed])
    return status, {name: json.loads((out / "results" / name).read_text(encoding="utf-8")) for name, _ in commands}


def check_results(command, out):
    status, results = run_list(command, out, [(name, line) for name, line, _, _ in COMMANDS])
    check(status == 0, "the machine runs a list of commands", f"status {status}")
    for name, _, streams, end in COMMANDS:
        result = results[name]
        check(result["fault"] is None and result["end"] == end, f"{name}: its end is told", result["fault"],
              result["end"])
        for stream in ("out", "err"):
            written = text_of(result, stream)
            check(written == streams.get(stream, ""), f"{name}: so is what it wrote ({stream})", repr(written[:200]))


def check_crash(command, out):
    """A kernel that dies takes the commands with it that had not ended."""
    commands = [
        ("before", "sh -c 'echo before'"),
        ("crash", "sh -c 'sleep 2; echo c >/proc/sysrq-trigger'"),
        ("at the time", "sh -c 'sleep 600'"),
        ("after", "sh -c 'echo after'"),
    ]
    _, results = run_list(command, out, commands)
    before = results["before"]
    check(before["end"] == ["exit", 0] and not before["fault"], "what ended before a crash, ended")
    for name in ("crash", "at the time", "after"):
        check(results[name]["fault"] is not None, f"{name}: has no result")
    check(b"sysrq triggered crash" in (out / "console").read_bytes(), "the kernel's last words are kept")
    replay = [sys.executable, pathlib.Path(__file__).with_name("replay.py"), out / "results" / "crash"]
    check(subprocess.run(replay, stderr=subprocess.DEVNULL).returncode == 255, "replay fails for what has no result")


def check_one(command, out):
    status = run(command, out, ["--", "sh", "-c", "exit 7"])
    check(status == 7, "the exit status of one command alone is the script's", f"status {status}")


def check_limit(command, out):
    status = run(command, out, ["--limit", "2", "--", "sh", "-c", "sleep 600"])
    check(status == 124, "a command that takes too long is ended", f"status {status}")


def main():
    out, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    check_results(command, out / "ends")
    check_one(command, out / "one")
    check_limit(command, out / "limit")
    check_crash(command, out / "crash")
    print(f"1..{checks}")


if __name__ == "__main__":
    main()
