"""For gdb: goes each way of step.c instruction by instruction, and unwinds at each one of the library's that is new.
Prints TAP. The variable UNWIND_PROGRAM names the program.

    UNWIND_PROGRAM=target/c-tests/unwind/step.t gdb -nx -batch -x c-tests/unwind/debugger.py
"""

import os
import re
import sys

import gdb

LONGEST_STACK = 100
MOST_STEPS = 20000
CALLEE_SAVED = ("rsp", "rbx", "rbp", "r12", "r13", "r14", "r15")
# Those that others do not lead through. An exception has tens of thousands of steps outside of the library.
WAYS = (
    "a trap over the default action",
    "a fault that a handler on the alternate stack gets",
    "a fault that a handler on the interrupted stack gets",
    "a raise",
    "a call that returns",
)
failures = 0
checks = 0


def check(good, name):
    global failures, checks
    checks += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {checks} - {name}", flush=True)


def quietly(command):
    return gdb.execute(command, to_string=True)


def main_frame():
    """The state of main, as gdb sees it from here; None if it does not come there."""
    try:
        frame = gdb.newest_frame()
        for _ in range(LONGEST_STACK):
            if frame is None:
                return None
            if frame.name() == "main":
                return [int(frame.read_register(name).cast(WORD)) for name in CALLEE_SAVED]
            frame = frame.older()
    except gdb.error:
        pass
    return None


def code_of_the_library():
    found = re.search(r"^(0x\w+)\s+(0x\w+)\s.*libwasmtrap", quietly("info sharedlibrary"), re.MULTILINE)
    return int(found[1], 16), int(found[2], 16)


def go(way):
    quietly(f"set args '{way}'")
    breakpoint_ = gdb.Breakpoint("stepping_begins")
    quietly("run")
    breakpoint_.delete()
    start, end = code_of_the_library()
    stop = int(gdb.parse_and_eval("(unsigned long)&stepping_ends"))
    quietly("finish")
    expected = main_frame()
    seen, lost = set(), 0
    for _ in range(MOST_STEPS):
        pc = gdb.newest_frame().pc()
        if pc == stop:
            break
        if start <= pc < end and pc not in seen:
            seen.add(pc)
            if main_frame() != expected:
                lost += 1
                print(f"# at {quietly('x/i $pc').strip()[3:]}: {quietly('backtrace 3')!r}")
        quietly("stepi")
    check(pc == stop and expected is not None, f"{way}: comes to its end")
    check(lost == 0, f"{way}: gdb finds main from each of {len(seen)} instructions")
    check(len(seen) > 20, f"{way}: it has led through the library")
    quietly("kill")


for setting in ("pagination off", "confirm off", "debuginfod enabled off", "width 0"):
    quietly(f"set {setting}")
quietly(f"file {os.environ['UNWIND_PROGRAM']}")
# A single step from the stop by a signal enters its handler.
quietly("handle SIGSEGV stop print pass")
quietly("handle SIGSTOP nostop noprint nopass")
WORD = gdb.lookup_type("unsigned long")
for each in WAYS:
    go(each)
print(f"1..{checks}", flush=True)
sys.stdout.flush()
quietly(f"quit {int(failures != 0)}")
