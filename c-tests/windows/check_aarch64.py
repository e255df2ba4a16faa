#!/usr/bin/env python3
"""Checks what is linked for Windows on arm64, as far as it shows without one: each file is an image for that processor,
and in the library the unwind information of the assembly says of each prologue what its instructions do.

    check_aarch64.py --llvm VERSION --objdump OBJDUMP IMAGE...

The first image is the DLL. A prologue's unwind codes stand for one instruction each, so that llvm-readobj's words for
them, from the last to the first, have to be objdump's for the instructions that the function begins with.
"""

import argparse
import re
import subprocess
import sys

# The functions written in assembly that call others or can be left by an exception, and whether the unwinder has a
# function to call there. The name of a function of Rust's ends so, behind the length that is a part of it.
ASSEMBLY = {"wasmtrap_call": True, "wasmtrap_raise": False, "wasmtrap_run_call": False,
            "wasmtrap_interrupt_point": False, "4arch18call_fault_handler": True}  # fmt: skip


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def plain(instruction):
    """One way of writing it.

    >>> plain("sub sp, #240"), plain("sub  sp, sp, #0xf0")
    ('sub sp,240', 'sub sp,240')
    >>> plain("stp x29, lr, [sp, #-64]!"), plain("stp\\tx29, x30, [sp, #-64]!")
    ('stp x29,x30,[sp,-64]!', 'stp x29,x30,[sp,-64]!')
    """
    mnemonic, _, operands = instruction.strip().replace("\t", " ").partition(" ")
    operands = re.sub(r"\s", "", operands).replace("lr", "x30").replace("fp", "x29").replace("sp,sp,", "sp,")
    return f"{mnemonic} " + re.sub(r"#(-?(?:0x)?[0-9a-f]+)", lambda number: str(int(number[1], 0)), operands)


def expanded(codes):
    """The codes in the order of the instructions, with `save next` in full: the next two registers, 16 bytes further.

    >>> expanded(["save next", "stp x19, x20, [sp, #16]"])
    ['stp x19,x20,[sp,16]', 'stp x21,x22,[sp,32]']
    """
    found = []
    for code in reversed(codes):
        if code == "save next":
            kind, first, place = re.fullmatch(r"stp ([xd])(\d+),[xd]\d+,\[sp,(\d+)\]", found[-1]).groups()
            first, place = int(first) + 2, int(place) + 16
            found.append(f"stp {kind}{first},{kind}{first + 1},[sp,{place}]")
        else:
            found.append(plain(code))
    return found


def unwind_information(text):
    """llvm-readobj's: by function, the codes of its prologue, and whether it has a handler."""
    found = {}
    for entry in re.split(r"^  RuntimeFunction \{", text, flags=re.MULTILINE)[1:]:
        name = re.search(r"Function: (\S+)", entry)[1]
        prologue = re.search(r"Prologue \[\n(.*?)\]", re.sub(r"\[(sp[^\]]*)\]", r"<\1>", entry), re.DOTALL)
        lines = [line.partition(";")[2] or line for line in prologue[1].splitlines()] if prologue else []
        codes = [line.strip().replace("<", "[").replace(">", "]") for line in lines]
        found[name] = [code for code in codes if code and code != "end"], "ExceptionHandler [" in entry
    return found


def instructions(text):
    """objdump's, by function."""
    found, current = {}, None
    for line in text.splitlines():
        if label := re.fullmatch(r"[0-9a-f]+ <(.+)>:", line):
            current = found.setdefault(label[1], [])
        elif current is not None and (match := re.match(r"\s*[0-9a-f]+:\t(.*)", line)):
            current.append(match[1].partition("//")[0])
    return found


def problems_of_unwinding(path, llvm, objdump):
    information = unwind_information(run(f"llvm-readobj-{llvm}", "--unwind", path))
    code = instructions(run(objdump, "--disassemble", "--no-show-raw-insn", path))
    for known, has_handler in ASSEMBLY.items():
        name = next((name for name in information if name == known or name.startswith("_R") and name.endswith(known)),
                    known)  # fmt: skip
        if name not in information or name not in code:
            yield f"{name}: no unwind information, or no code"
            continue
        codes, handler = information[name]
        says, does = expanded(codes), [plain(each) for each in code[name][:len(codes)]]
        if not codes or says != does:
            yield f"{name}: the unwind information says {says}, the code does {does}"
        if handler != has_handler:
            yield f"{name}: {'no' if has_handler else 'a'} function is called when it is unwound"
    if len(information) < 100:
        yield f"{len(information)} functions have unwind information"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--llvm", required=True)
    parser.add_argument("--objdump", required=True)
    parser.add_argument("images", nargs="+")
    arguments = parser.parse_args()
    checked, problems = 0, []
    for path in arguments.images:
        headers = run(f"llvm-readobj-{arguments.llvm}", "--file-headers", path)
        for what in ("Machine: IMAGE_FILE_MACHINE_ARM64 ", "IMAGE_FILE_EXECUTABLE_IMAGE"):
            checked += 1
            if what not in headers:
                problems.append(f"{path}: no {what.strip()}")
        size = re.search(r"ExceptionTableSize: (\w+)", headers)
        checked += 1
        if size is None or int(size[1], 0) == 0:
            problems.append(f"{path}: no table of functions (.pdata)")
    checked += len(ASSEMBLY)
    problems += problems_of_unwinding(arguments.images[0], arguments.llvm, arguments.objdump)
    for problem in problems:
        print(f"not ok - {problem}")
    print(f"{max(checked - len(problems), 0)} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
