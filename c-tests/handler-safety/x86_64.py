"""x86-64 in objdump's AT&T notation: control flow, and what instructions do to the general-purpose registers."""

import re

from machine import Flow, TableEntry, TableTarget, load

SYSTEM_CALL_NUMBER = "rax"
SPIN_HINTS = {"pause", "tpause", "umwait"}

_CALLER_SAVED = ("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11")


def _register_names():
    names = {}
    for letter in "abcd":
        full = f"r{letter}x"
        for alias in (full, f"e{letter}x", f"{letter}x", f"{letter}l", f"{letter}h"):
            names[alias] = full
    for short in ("si", "di", "bp", "sp"):
        full = f"r{short}"
        for alias in (full, f"e{short}", short, f"{short}l"):
            names[alias] = full
    for number in range(8, 16):
        full = f"r{number}"
        for alias in (full, f"{full}d", f"{full}w", f"{full}b"):
            names[alias] = full
    return names


_REGISTERS = _register_names()
_FULL = set(_REGISTERS.values())
_LOW_HALF = {name: full for name, full in _REGISTERS.items() if re.fullmatch(r"e..|r\d+d", name)}

_DIRECT = re.compile(r"^[0-9a-f]+$")
# With r13 as its base, an address always has a displacement.
_INDEXED = re.compile(r"^(?:0x0)?\((%\w+),%\w+,(\d)\)$")
# These write their last operand and no other general-purpose register.
_WRITES_LAST = re.compile(
    r"mov|movabs|movz..|movs(?:bw|bl|bq|wl|wq|lq)|cmov\w+|lea|add|sub|adc|sbb|and|or|xor|not|neg|inc|dec|imul"
    r"|s[ah][lr]|ro[lr]|rc[lr]|sh[lr]d|s[ah][lr]x|rorx|set\w+|bs[fr]|bt[src]|[tl]zcnt|popcnt|bextr|bls\w+|andn|bzhi"
    r"|pdep|pext|bswap|rd[fg]sbase|rdssp[dq]|rdpid|movbe|crc32")
# These write no general-purpose register but the stack pointer, which is not followed.
_WRITES_NONE = re.compile(
    r"cmp|test|bt|push|nop\w?|endbr64|[lms]fence|prefetch\w+|ldmxcsr|stmxcsr|vldmxcsr|vstmxcsr|fldcw|fnstcw|fnclex"
    r"|fninit|fwait|cld|std|clc|stc|cmc|sahf|incssp[dq]|wr[fg]sbase|pause|f(?!n?stsw)[a-z]+\d?|emms|vzeroupper"
    r"|vzeroall|fxsave64|fxrstor64|xsave\w*|xrstor\w*|clflush\w*|clwb|ud2")
_SUFFIX = re.compile(r"[bwlq]$")


def flow(instruction):
    """Kind of control flow, and the address it goes to if the instruction says it."""
    mnemonic, operands = instruction.mnemonic, instruction.operands
    mnemonic = mnemonic.removeprefix("rep_")
    direct = int(operands[-1], 16) if operands and _DIRECT.match(operands[-1]) else None
    if mnemonic in ("call", "callq"):
        return (Flow.CALL, direct) if direct is not None else (Flow.INDIRECT_CALL, None)
    if mnemonic in ("jmp", "jmpq"):
        return (Flow.JUMP, direct) if direct is not None else (Flow.INDIRECT_JUMP, None)
    if mnemonic.startswith("j") or mnemonic.startswith("loop"):
        return (Flow.BRANCH, direct) if direct is not None else (Flow.UNKNOWN, None)
    if mnemonic in ("ret", "retq"):
        return Flow.RETURN, None
    if mnemonic in ("ud2", "ud1", "ud0", "int3", "hlt"):
        return Flow.STOP, None
    if mnemonic == "syscall":
        return Flow.SYSTEM_CALL, None
    if mnemonic in ("sysenter", "sysret", "sysretq", "int", "into", "int1", "iret", "iretq", "(bad)", "xbegin", ".byte",
                    "lcall", "ljmp", "lret", "vmcall"):
        return Flow.UNKNOWN, None
    return Flow.NEXT, None


def after_call(state):
    for register in _CALLER_SAVED:
        state.pop(register, None)


def reference(instruction, _state):
    """The fixed address that an instruction reads, writes or takes, or None."""
    return _pc_relative(instruction) if any("(%rip" in operand for operand in instruction.operands) else None


def reads_two_words(instruction):
    return any("mm" in operand for operand in instruction.operands)


def step(instruction, state, library):
    """Changes the state to what it is after an instruction that is neither a call nor a jump."""
    mnemonic, operands = instruction.mnemonic, instruction.operands
    value = _result(instruction, state, library)
    base = _SUFFIX.sub("", mnemonic)
    vector = any(re.search(r"%[xyz]?mm\d|%k\d", operand) for operand in operands)
    if mnemonic == "leave":
        state.pop("rbp", None)
    elif mnemonic.startswith(("xchg", "xadd")):
        if operands[0] != operands[1]:
            _write(state, operands[0], None)
            _write(state, operands[1], None)
    elif mnemonic.startswith("cmpxchg") or mnemonic in ("cltq", "cwtl", "cbtw", "fnstsw", "fstsw"):
        state.pop("rax", None)
        state.pop("rdx", None)
        if operands:
            _write(state, operands[-1], None)
    elif mnemonic in ("cltd", "cqto", "cwtd") or re.fullmatch(r"i?(mul|div)[bwlq]?", mnemonic) and len(operands) == 1:
        state.pop("rax", None)
        state.pop("rdx", None)
    elif mnemonic == "pop":
        _write(state, operands[0], None)
    elif _WRITES_NONE.fullmatch(mnemonic) or _WRITES_NONE.fullmatch(base):
        pass
    elif _WRITES_LAST.fullmatch(mnemonic) or _WRITES_LAST.fullmatch(base):
        _write(state, operands[-1], value)
    elif vector and not mnemonic.startswith(("rep_", "pcmp", "vpcmp")):
        _write(state, operands[-1], None)
    else:
        state.clear()


def _pc_relative(instruction):
    match = re.match(r"([0-9a-f]+)\b", instruction.note)
    return int(match[1], 16) if match else None


def _write(state, operand, value):
    name = operand.removeprefix("%")
    if name not in _REGISTERS:
        return
    full = _REGISTERS[name]
    state.pop(full, None)
    if value is None:
        return
    if name in _FULL:
        state[full] = value
    elif name in _LOW_HALF and isinstance(value, int):
        state[full] = value & 0xFFFFFFFF


def _read(state, operand):
    name = operand.removeprefix("%")
    if name in _FULL:
        return state.get(name)
    value = state.get(_LOW_HALF.get(name, ""))
    return value & 0xFFFFFFFF if isinstance(value, int) else None


def _result(instruction, state, library):
    """What the last operand holds afterwards, None if that is not known."""
    mnemonic, operands = instruction.mnemonic, instruction.operands
    if len(operands) != 2:
        return None
    source, target = operands
    if mnemonic == "lea" and source.endswith("(%rip)"):
        return _pc_relative(instruction)
    if mnemonic in ("mov", "movq", "movl", "movabs"):
        if source.startswith("$"):
            return int(source[1:], 16) & (1 << 64) - 1
        if source.endswith("(%rip)"):
            return load(library, _pc_relative(instruction)) if target.removeprefix("%") in _FULL else None
        return _read(state, source)
    if mnemonic == "xor" and source == target:
        return 0
    if mnemonic == "movslq" and (match := _INDEXED.match(source)) and match[2] == "4":
        table = _read(state, match[1])
        return TableEntry(table, 4, True) if isinstance(table, int) else None
    if mnemonic == "add" and source.startswith("%"):
        pair = _read(state, source), _read(state, target)
        for entry, base in (pair, pair[::-1]):
            if isinstance(entry, TableEntry) and isinstance(base, int):
                return TableTarget(entry, base, 1)
    return None


def indirect_target(instruction, state, library):
    """What an indirect call or jump goes to, None if that is not known."""
    operand = instruction.operands[0].removeprefix("*")
    if operand.endswith("(%rip)"):
        return load(library, _pc_relative(instruction))
    if operand.startswith("%"):
        return _read(state, operand)
    return None


def place_of_lazy_tls(instruction, state):
    """The slot that a TLS descriptor call goes through, None if it is none: call *(%rax), rax the slot's address."""
    match = re.fullmatch(r"\*\((%\w+)\)", instruction.operands[0])
    return _read(state, match[1]) if match else None
