"""Tests check.py: builds the small libraries of self-test/, each of which breaks one rule or none, and checks each.

    self-test.py [--cc CC] [--tools PREFIX] --out FOLDER

Prints TAP. A file says itself what is expected of it, in the comment that it begins with:

    expect: RULE [TEXT], ...     exactly these violations, each with TEXT in its sentence; or just `safe`
    cflags: ..., check: ...      more arguments for the compiler, and for check.py
    only: elf                    it is about something that Windows does not have, or has in another way
    expect[x86_64]: ...          any of these, for one architecture
"""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE / "self-test"
WARNINGS = ["-std=gnu99", "-Wall", "-Wextra", "-Werror"]
# As rustc links: functions bind inside of the library, and at load time.
LIKE_RUST = ["-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,-z,now", "-Wl,-z,relro"]
LIKE_RUST_FOR_WINDOWS = ["-O2", "-shared"]


def directives(source, machine):
    comment = source.read_text(encoding="utf-8").split("*/")[0]
    found = {}
    for name, only, value in re.findall(r"^ \* (expect|cflags|check|only)(?:\[(\w+)\])?: (.*)$", comment, re.MULTILINE):
        if only in ("", machine):
            found[name] = value
    return found


def run_case(source, arguments, machine):
    """None if all went as expected, else what did not."""
    wanted = directives(source, machine)
    library = arguments.out / f"{source.stem}.so"
    flags = LIKE_RUST_FOR_WINDOWS if arguments.for_windows else LIKE_RUST
    subprocess.run([*arguments.cc.split(), *WARNINGS, *flags, str(source), "-o",
                    str(library), *wanted.get("cflags", "").split()], check=True)
    command = [sys.executable, str(HERE / "check.py"), "--allowed", str(CASES / "allowed.toml"),
               "--tools", arguments.tools, *wanted.get("check", "").split(), str(library)]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=CASES)
    violations = re.findall(r"^NOT SAFE \[([\w-]+)\] (.*)$", run.stdout, re.MULTILINE)
    expected = [] if wanted["expect"] == "safe" else [text.split(maxsplit=1) for text in wanted["expect"].split(", ")]

    left = list(violations)
    for rule, *text in expected:
        hits = [violation for violation in left if violation[0] == rule and all(part in violation[1] for part in text)]
        if not hits:
            return f"does not report [{rule}] {' '.join(text)}\n{run.stdout}"
        left.remove(hits[0])
    if left:
        return f"reports {left} as well\n{run.stdout}"
    if run.returncode != (1 if expected else 0):
        return f"exit status {run.returncode}\n{run.stdout}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--tools", default="")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.out = arguments.out.resolve()
    arguments.out.mkdir(parents=True, exist_ok=True)

    command = [*arguments.cc.split(), "-dumpmachine"]
    target = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    machine, arguments.for_windows = target.split("-")[0], "mingw" in target
    cases = sorted(CASES.glob("*.c"))
    if arguments.for_windows:
        cases = [case for case in cases if "only" not in directives(case, machine)]
    failures = 0
    print(f"1..{len(cases)}")
    for number, source in enumerate(cases, 1):
        promise = source.read_text(encoding="utf-8").split("\n")[0].removeprefix("/* ")
        problem = run_case(source, arguments, machine)
        failures += problem is not None
        print(f"{'not ok' if problem else 'ok'} {number} - {source.stem}: {promise}")
        if problem:
            print("# " + problem.rstrip().replace("\n", "\n# "))
    print(f"{len(cases) - failures} passed, {failures} failed")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
