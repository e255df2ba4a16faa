"""What the two machine models have in common: the kinds of control flow, and what is known of a register's contents.

A state maps register names to values; a register that is missing is unknown. A value is an int (a number or an
address), or one of the classes below. What a model does not recognise makes registers unknown, never known.
"""

import dataclasses
import enum


class Flow(enum.Enum):
    NEXT = "goes on"
    JUMP = "jump"
    BRANCH = "conditional jump"
    CALL = "call"
    INDIRECT_CALL = "indirect call"
    INDIRECT_JUMP = "indirect jump"
    RETURN = "return"
    STOP = "stop"  # faults for sure
    SYSTEM_CALL = "system call"
    UNKNOWN = "unknown"  # leaves the known world: software interrupts, bytes that are no instruction


@dataclasses.dataclass(frozen=True)
class External:
    """The address of something that another object defines."""
    name: str


@dataclasses.dataclass(frozen=True)
class TableEntry:
    """A value read from a table in read-only memory, by an index that is not known."""
    table: int
    width: int
    signed: bool


@dataclasses.dataclass(frozen=True)
class TableTarget:
    """base + scale * (a value of the table): where a switch goes."""
    entry: TableEntry
    base: int
    scale: int


def load(library, address):
    """What 8 bytes read from a fixed address are."""
    slot = library.slots.get(address)
    if slot is None or not library.is_constant(address):
        return None
    if slot.address:
        return slot.address
    return External(slot.symbol) if slot.kind == "symbol" else None


def table_targets(library, function, target):
    """The places that a switch can go to: the table's entries up to the first that is not a place in the function.

    Only compilers make such tables, and they check the index before they use it; what is found out here is that all
    entries stay inside of the function. None if there is no such entry.
    """
    entry = target.entry
    starts = {instruction.address for instruction in function.instructions}
    targets = []
    while library.is_constant(entry.table) and len(targets) < 4096:
        data = library.bytes_at(entry.table + len(targets) * entry.width, entry.width)
        if data is None:
            break
        place = target.base + target.scale * int.from_bytes(data, "little", signed=entry.signed)
        if place not in starts:
            break
        targets.append(place)
    return targets or None
