"""What each function of a library does that concerns a signal handler: whom it calls, what it takes the address of,
which system calls it makes, and what cannot be told.

Register contents are followed through each function (a forward data-flow analysis over its own jumps), so that calls
through a register that holds an address from the global offset table, switches, and system-call numbers are resolved.
Whatever is not proved to be one known target is reported as indirect.
"""

import dataclasses

import aarch64
import elf
import x86_64
from disassembly import Code
from machine import External, Flow, TableTarget, table_targets

_MODELS = {elf.X86_64: x86_64, elf.AARCH64: aarch64}


@dataclasses.dataclass
class Summary:
    """One function. Addresses are where in it the thing happens."""
    calls: dict = dataclasses.field(default_factory=dict)  # Function -> address
    inside: dict = dataclasses.field(default_factory=dict)  # Function -> address: jumps past its first instruction
    external_calls: dict = dataclasses.field(default_factory=dict)  # name -> address
    taken: dict = dataclasses.field(default_factory=dict)  # Function -> address: may be called by whoever gets it
    external_taken: dict = dataclasses.field(default_factory=dict)  # name -> address
    system_calls: list = dataclasses.field(default_factory=list)  # (number or None, address)
    indirect: list = dataclasses.field(default_factory=list)  # address of an unresolved indirect call or jump
    lazy_tls: list = dataclasses.field(default_factory=list)  # addresses
    spins: list = dataclasses.field(default_factory=list)  # addresses
    stops: list = dataclasses.field(default_factory=list)  # addresses of instructions that fault for sure
    deeper: set = dataclasses.field(default_factory=set)  # those of `calls` that return here: the stack grows
    unknown: list = dataclasses.field(default_factory=list)  # (what, address)


class CallGraph:
    def __init__(self, library, tools=""):
        self.subject = library
        self.machine = _MODELS[library.machine]
        self.code = Code(library, tools)
        self._entries = self._places_reached_from_elsewhere()
        self.summaries = {function: self._summarize(function) for function in self.code.functions}

    def _places_reached_from_elsewhere(self):
        """Addresses inside of functions at which nothing is known of the registers: landing places, code pointers."""
        places = {slot.address for slot in self.subject.slots.values() if slot.address}
        for function in self.code.functions:
            for instruction in function.instructions:
                kind, target = self.machine.flow(instruction)
                if kind is Flow.NEXT:
                    target = self.machine.reference(instruction, {})
                    if target is not None:
                        places.add(target)
                elif target is not None and target not in function:
                    places.add(target)
        return places

    def _successors(self, function, places, index, state):
        """Indexes of the instructions of the function that may run next. `places` has them by address."""
        instruction = function.instructions[index]
        kind, target = self.machine.flow(instruction)
        following = [index + 1] if index + 1 < len(function.instructions) else []
        if kind in (Flow.RETURN, Flow.STOP):
            return []
        if kind is Flow.JUMP:
            return self._indexes(places, [target])
        if kind is Flow.BRANCH:
            return following + self._indexes(places, [target])
        if kind is Flow.INDIRECT_JUMP:
            value = self.machine.indirect_target(instruction, state, self.subject)
            if isinstance(value, TableTarget):
                return self._indexes(places, table_targets(self.subject, function, value) or [])
            return self._indexes(places, [value] if isinstance(value, int) else [])
        return following

    @staticmethod
    def _indexes(places, addresses):
        return [places[address] for address in addresses if address in places]

    def _states(self, function):
        """What is known of the registers before each instruction, on whichever way it is reached.

        And the instructions that nothing leads to: the filler that compilers put after a jump that does not return.
        """
        instructions = function.instructions
        places = {instruction.address: index for index, instruction in enumerate(instructions)}
        states = [None] * len(instructions)
        unreached = set(range(len(instructions)))

        def flow_from(index):
            states[index] = {}
            work = [index]
            while work:
                at = work.pop()
                unreached.discard(at)
                after = dict(states[at])
                kind, _ = self.machine.flow(instructions[at])
                if kind in (Flow.CALL, Flow.INDIRECT_CALL, Flow.SYSTEM_CALL):
                    self.machine.after_call(after)
                elif kind is Flow.NEXT:
                    self.machine.step(instructions[at], after, self.subject)
                elif kind is Flow.UNKNOWN:
                    after.clear()
                for successor in self._successors(function, places, at, states[at]):
                    before = states[successor]
                    both = after if before is None else {
                        register: value for register, value in before.items() if after.get(register) == value}
                    if before is None or both != before:
                        states[successor] = dict(both)
                        work.append(successor)

        for index, instruction in enumerate(instructions):
            if index == 0 or instruction.address in self._entries:
                flow_from(index)
        # Only something unresolved leads here: nothing is known.
        fillers = set(unreached)
        while unreached:
            flow_from(min(unreached))
        return states, {instructions[index].address for index in fillers}

    def _summarize(self, function):
        summary = Summary()
        states, fillers = self._states(function)
        for instruction, state in zip(function.instructions, states, strict=True):
            self._note(function, instruction, state, summary)
        summary.stops = [address for address in summary.stops if address not in fillers]
        self._note_falling_out(function, summary)
        return summary

    def _note(self, function, instruction, state, summary):
        machine, address = self.machine, instruction.address
        if instruction.mnemonic in machine.SPIN_HINTS:
            summary.spins.append(address)
        kind, target = machine.flow(instruction)
        if kind in (Flow.JUMP, Flow.BRANCH, Flow.CALL):
            self._note_target(function, kind, target, address, summary)
        elif kind in (Flow.INDIRECT_CALL, Flow.INDIRECT_JUMP):
            value = machine.indirect_target(instruction, state, self.subject)
            slot = self.subject.slots.get(machine.place_of_lazy_tls(instruction, state))
            if slot is not None and slot.kind == elf.TLS_LAZY:
                summary.lazy_tls.append(address)
            elif isinstance(value, External):
                summary.external_calls.setdefault(value.name, address)
            elif isinstance(value, int):
                self._note_target(function, kind, value, address, summary)
            elif not (isinstance(value, TableTarget) and table_targets(self.subject, function, value)):
                summary.indirect.append(address)
        elif kind is Flow.SYSTEM_CALL:
            number = state.get(machine.SYSTEM_CALL_NUMBER)
            summary.system_calls.append((number if isinstance(number, int) else None, address))
        elif kind is Flow.STOP:
            summary.stops.append(address)
        elif kind is Flow.UNKNOWN:
            summary.unknown.append((" ".join([instruction.mnemonic, *instruction.operands]), address))
        else:
            self._note_reference(function, machine.reference(instruction, state), instruction, summary)

    def _note_target(self, function, kind, target, address, summary):
        """A call or jump to a known address."""
        if target in self.code.plt:
            summary.external_calls.setdefault(self.code.plt[target], address)
        elif (callee := self.code.function_at(target)) is None:
            summary.unknown.append((f"goes to {target:#x}, where there is no function", address))
        else:
            jumps = kind not in (Flow.CALL, Flow.INDIRECT_CALL)
            if callee is not function:
                known = summary.inside if jumps and target != callee.start else summary.calls
                known.setdefault(callee, address)
            if kind in (Flow.CALL, Flow.INDIRECT_CALL):
                summary.deeper.add(callee)

    def _note_reference(self, function, place, instruction, summary):
        """A fixed address that is read or taken."""
        if place is None:
            return
        address = instruction.address
        pointers = [place]
        if (slot := self.subject.slots.get(place)) is not None:
            pointers.append(slot.address)
            if slot.kind == elf.TLS_LAZY:
                summary.lazy_tls.append(address)
            elif slot.kind == elf.SYMBOL and not slot.address:
                summary.external_taken.setdefault(slot.symbol, address)
        if self.machine.reads_two_words(instruction) and (slot := self.subject.slots.get(place + 8)) is not None:
            pointers.append(slot.address)
        for pointer in pointers:
            if pointer in self.code.plt:
                summary.external_taken.setdefault(self.code.plt[pointer], address)
            callee = self.code.function_at(pointer)
            if callee is not None and callee is not function:
                summary.taken.setdefault(callee, address)

    def _note_falling_out(self, function, summary):
        """Code that runs on past the end of its function goes on in the next one. A call there does not return."""
        code = [instruction for instruction in function.instructions if "nop" not in instruction.mnemonic]
        if not code or code[-1] is not function.instructions[-1]:
            return
        kind, _ = self.machine.flow(code[-1])
        if kind in (Flow.NEXT, Flow.BRANCH, Flow.SYSTEM_CALL):
            following = self.code.function_at(code[-1].end)
            if following is None:
                summary.unknown.append(("runs on past its end, where there is no function", code[-1].address))
            elif following is not function:
                summary.calls.setdefault(following, code[-1].address)

    def walk(self, roots, pointers=False, leaves=lambda callee: False):
        """All functions that the roots reach by calls and jumps: Function -> the one that it was first reached from.

        With `pointers`, taking the address of a function counts as a call. A jump past the first instruction of a
        function that `leaves` names is not followed: with it the code that is looked at has ended.
        """
        reached = dict.fromkeys(roots)
        work = list(roots)
        while work:
            function = work.pop(0)
            summary = self.summaries[function]
            jumped = [callee for callee in summary.inside if not leaves(callee)]
            for callee in [*summary.calls, *jumped, *(summary.taken if pointers else ())]:
                if callee not in reached:
                    reached[callee] = function
                    work.append(callee)
        return reached
