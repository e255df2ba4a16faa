"""aarch64 in objdump's notation: control flow, and what instructions do to the general-purpose registers."""

import re

from machine import Flow, TableEntry, TableTarget, load

SYSTEM_CALL_NUMBER = "x8"
# `isb` is what Rust's spin_loop hint comes to.
SPIN_HINTS = {"yield", "isb", "wfe", "wfi", "wfet", "wfit"}

_CALLER_SAVED = tuple(f"x{number}" for number in range(19)) + ("x30",)
_MASK = (1 << 64) - 1

_REGISTER = re.compile(r"[xw](\d+)|[xw]zr|w?sp")
_WRITES_FIRST = re.compile(
    r"mov[zkn]?|mvn|negs?|ngcs?|add[sg]?|sub[sg]?|adcs?|sbcs?|ands?|orr|orn|eor|eon|bics?|lsl|lsr|asr|ror|extr"
    r"|[su]xt[bhw]|[su]?bf(?:m|i|x|c|iz|xil)|mul|mneg|madd|msub|[su]m(?:ull?|ulh|addl|subl|negl)|[su]div|csetm?|csel"
    r"|csinc|csinv|csneg|cinc|cinv|cneg|cl[sz]|cnt|ctz|rbit|rev(?:16|32)?|adrp?|ld(?:u|a|ap|t|x|ax|apu)?r(?:s?[bhw])?"
    r"|mrs|fmov|fcvt\w+|[us]mov|stl?xr[bh]?|stl?xp|crc32c?[bhwx]|xpac[id]|pac[id]z?[ab]|aut[id]z?[ab]"
    r"|[us](?:max|min)|abs|cas[al]{0,2}[bh]?")
_WRITES_FIRST_TWO = re.compile(r"ld(?:n|x|ax)?p|ldpsw|casp[al]{0,2}")
_WRITES_SECOND = re.compile(r"(?:swp|ld(?:add|clr|eor|set|[su]max|[su]min))[al]{0,2}[bh]?")
_WRITES_NONE = re.compile(
    r"st(?:u|l|t|lu)?r[bhw]?|stn?p|st(?:add|clr|eor|set|[su]max|[su]min)l?[bh]?|cmp|cmn|tst|ccm[pn]|nop|bti|hint|dmb"
    r"|dsb|isb|yield|wfe|wfi|prf[mu]m?|msr|fcmpe?|fccmpe?|paci[ab]sp|paci[ab]z|auti[ab]sp|auti[ab]z|xpaclri|sevl?|sb"
    r"|ssbb|clrex|csdb|dc|ic|chkfeat")


def flow(instruction):
    """Kind of control flow, and the address it goes to if the instruction says it."""
    mnemonic, operands = instruction.mnemonic, instruction.operands
    if mnemonic == "b":
        return Flow.JUMP, int(operands[0], 16)
    if mnemonic == "bl":
        return Flow.CALL, int(operands[0], 16)
    if mnemonic.startswith(("b.", "bc.")) or mnemonic in ("cbz", "cbnz", "tbz", "tbnz"):
        return Flow.BRANCH, int(operands[-1], 16)
    if mnemonic.startswith("blr"):
        return Flow.INDIRECT_CALL, None
    if re.fullmatch(r"br(a[ab]z?)?", mnemonic):
        return Flow.INDIRECT_JUMP, None
    if mnemonic.startswith("ret"):
        return Flow.RETURN, None
    if mnemonic in ("brk", "udf"):
        return Flow.STOP, None
    if mnemonic == "svc":
        return Flow.SYSTEM_CALL, None
    if mnemonic in ("hvc", "smc", "hlt", "eret", "drps") or mnemonic.startswith((".", "dcps", "undefined", "(bad)")):
        return Flow.UNKNOWN, None
    return Flow.NEXT, None


def after_call(state):
    for register in _CALLER_SAVED:
        state.pop(register, None)


def reference(instruction, state):
    """The fixed address that an instruction reads, writes or takes, or None. A page of an adrp alone is none yet."""
    mnemonic, operands = instruction.mnemonic, instruction.operands
    if mnemonic == "adr":
        return int(operands[1], 16)
    if mnemonic == "add" and len(operands) == 3:
        return _sum(state, operands)
    for operand in operands:
        match = re.match(r"\[(x\d+)(?:, #(-?\w+))?\]", operand)
        if match and isinstance(state.get(match[1]), int):
            return state[match[1]] + int(match[2] or "0", 0)
    # ldr x0, label
    if mnemonic.startswith("ldr") and len(operands) == 2 and re.fullmatch(r"[0-9a-f]+", operands[1]):
        return int(operands[1], 16)
    return None


def reads_two_words(instruction):
    return instruction.mnemonic.startswith("ldp") or instruction.operands[0].startswith("q")


def step(instruction, state, library):
    """Changes the state to what it is after an instruction that is neither a call nor a jump."""
    mnemonic, operands = instruction.mnemonic, instruction.operands
    value = _result(instruction, state, library)
    if _WRITES_NONE.fullmatch(mnemonic):
        pass
    elif _WRITES_FIRST.fullmatch(mnemonic):
        _write(state, operands[0], value)
    elif _WRITES_FIRST_TWO.fullmatch(mnemonic):
        _write(state, operands[0], None)
        _write(state, operands[1], None)
    elif _WRITES_SECOND.fullmatch(mnemonic):
        _write(state, operands[1], None)
    elif any(_REGISTER.fullmatch(operand) for operand in operands):
        state.clear()
    # An address that is counted up: [x0, #8]! and [x0], #8.
    for index, operand in enumerate(operands):
        match = re.match(r"\[([xw]\d+)", operand)
        if match and (operand.endswith("!") or index + 1 < len(operands)):
            _write(state, match[1], None)


def _write(state, operand, value):
    match = _REGISTER.fullmatch(operand)
    if not match or match[1] is None:
        return
    full = "x" + match[1]
    state.pop(full, None)
    if operand.startswith("w"):
        # A table's entry that is read into half of a register fits there: none is wider, and none is signed.
        value = value & 0xFFFFFFFF if isinstance(value, int) else value if isinstance(value, TableEntry) else None
    if value is not None:
        state[full] = value


def _read(state, operand):
    match = _REGISTER.fullmatch(operand)
    if not match or match[1] is None:
        return 0 if operand in ("xzr", "wzr") else None
    value = state.get("x" + match[1])
    if operand.startswith("x"):
        return value
    return value & 0xFFFFFFFF if isinstance(value, int) else None


def _immediate(operand):
    match = re.fullmatch(r"#(-?(?:0x[0-9a-f]+|\d+))", operand)
    return int(match[1], 0) if match else None


def _sum(state, operands):
    base = _read(state, operands[1])
    offset = _immediate(operands[2])
    return (base + offset) & _MASK if isinstance(base, int) and offset is not None else None


_EXTENDED = re.compile(r"(?:([su])xt([bhwx])|lsl)(?: #(\d+))?")


def _result(instruction, state, library):
    """What the first operand holds afterwards, None if that is not known."""
    mnemonic, operands = instruction.mnemonic, instruction.operands
    if mnemonic in ("adr", "adrp"):
        return int(operands[1], 16)
    if mnemonic == "mov" and len(operands) == 2:
        number = _immediate(operands[1])
        return number & _MASK if number is not None else _read(state, operands[1])
    if mnemonic == "movk":
        old, number = _read(state, operands[0]), _immediate(operands[1])
        shift = int(operands[2].split("#")[1]) if len(operands) == 3 else 0
        return old & ~(0xFFFF << shift) | number << shift if isinstance(old, int) else None
    if mnemonic == "add" and len(operands) >= 3:
        if len(operands) == 3 and (total := _sum(state, operands)) is not None:
            return total
        base, entry = _read(state, operands[1]), _table_entry(state, operands[2])
        if len(operands) == 3:
            if isinstance(entry, int):
                base, entry = entry, _table_entry(state, operands[1])
            shift = 0
        else:
            match = _EXTENDED.fullmatch(operands[3])
            if not match:
                return None
            shift = int(match[3] or "0")
            # The sum may be what gives the entry its sign: sxtb of a byte, sxth of a halfword.
            if isinstance(entry, TableEntry) and match[1] and {"b": 1, "h": 2, "w": 4, "x": 8}[match[2]] == entry.width:
                entry = TableEntry(entry.table, entry.width, match[1] == "s")
        return TableTarget(entry, base, 1 << shift) if isinstance(base, int) and isinstance(entry, TableEntry) else None
    match = re.fullmatch(r"ldr(s?)([bhw]?)", mnemonic)
    if match and len(operands) == 2:
        return _loaded(operands, state, library, signed=bool(match[1]), size=match[2])
    return None


def _table_entry(state, operand):
    match = _REGISTER.fullmatch(operand)
    return state.get("x" + match[1]) if match and match[1] else None


def _loaded(operands, state, library, signed, size):
    fixed = re.fullmatch(r"\[(x\d+)(?:, #(-?\w+))?\]", operands[1])
    if fixed and not size and operands[0].startswith("x"):
        base = state.get(fixed[1])
        return load(library, base + int(fixed[2] or "0", 0)) if isinstance(base, int) else None
    indexed = re.fullmatch(r"\[(x\d+), [xw]\d+(?:, (?:lsl|[su]xt[wx])(?: #\d)?)?\]", operands[1])
    if indexed and (size or operands[0].startswith("w")) and not (signed and operands[0].startswith("w")):
        table = state.get(indexed[1])
        width = {"b": 1, "h": 2, "w": 4, "": 4}[size]
        return TableEntry(table, width, signed) if isinstance(table, int) else None
    return None


def indirect_target(instruction, state, _library):
    """What an indirect call or jump goes to, None if that is not known."""
    return _read(state, instruction.operands[0]) if not instruction.mnemonic.endswith(("aa", "ab")) else None


def place_of_lazy_tls(instruction, state):
    """The slot that a TLS descriptor call goes through, None if it is none: x0 has the slot's address."""
    return state.get("x0") if instruction.mnemonic == "blr" else None
