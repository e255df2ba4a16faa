#!/usr/bin/env python3
"""Runs a program for Windows on arm64 on an emulated processor (Unicorn), with as much of Windows as the library needs.

    run_image.py PROGRAM.exe

The code is the program's own, instruction by instruction. What stands in for Windows is here: one thread with its block
(x18), memory, the imported functions, and exceptions, which go to the vectored handler with a CONTEXT on the thread's
stack, and the thread goes on with what the handler has made of that. There is no unwinding, no second thread and no
`__try`: whatever those need says so and ends the run with status 99.
"""

import struct
import sys

import unicorn
from unicorn import arm64_const as arm64

PAGE = 0x1000
BLOCK, STACK_TOP, STACK_SIZE = 0x1000_0000, 0x2100_0000, 0x10_0000
STUBS, STUB_SIZE = 0x3000_0000, 0x1_0000
HEAP = 0x4000_0000
FIRST_ALLOCATION = 0x1_0000_0000
SELF, STACK_BASE, STACK_LIMIT, DEALLOCATION_STACK, TLS_SLOTS = 0x30, 0x8, 0x10, 0x1478, 0x1480
COMMIT, RESERVE, FREE = 0x1000, 0x2000, 0x10000
NO_ACCESS, READ_ONLY, GUARD = 1, 2, 0x100
CONTEXT_SIZE, RECORD_SIZE = 0x390, 0x98
# CONTEXT_ARM64 with CONTROL, INTEGER and FLOATING_POINT.
CONTEXT_FLAGS = 0x400007
ACCESS_VIOLATION, ILLEGAL_INSTRUCTION = 0xC0000005, 0xC000001D
READ, WRITE, EXECUTE = 0, 1, 8

X = [getattr(arm64, f"UC_ARM64_REG_X{number}") for number in range(29)] + [arm64.UC_ARM64_REG_X29,
                                                                           arm64.UC_ARM64_REG_X30]  # fmt: skip
V = [getattr(arm64, f"UC_ARM64_REG_Q{number}") for number in range(32)]
SP, PC, FLAGS = arm64.UC_ARM64_REG_SP, arm64.UC_ARM64_REG_PC, arm64.UC_ARM64_REG_NZCV
FPCR, FPSR = arm64.UC_ARM64_REG_FPCR, arm64.UC_ARM64_REG_FPSR


class Missing(Exception):
    """What this Windows has not."""


class Machine:
    def __init__(self, path):
        self.cpu = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        self.cpu.reg_write(arm64.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # the vector registers can be used
        self.handlers, self.continue_handlers, self.allocations, self.stubs = [], [], {}, []
        self.status, self.error, self.missing, self.answer, self.access = None, 0, None, None, None
        self.heap, self.next_allocation, self.next_slot = HEAP, FIRST_ALLOCATION, 0
        self.cpu.mem_map(BLOCK, 2 * PAGE)
        self.cpu.mem_map(STACK_TOP - STACK_SIZE, STACK_SIZE)
        self.cpu.mem_map(HEAP, 0x100_0000)
        self.cpu.mem_map(STUBS, STUB_SIZE)
        self.cpu.mem_write(STUBS, struct.pack("<I", 0xD65F03C0) * (STUB_SIZE // 4))  # ret
        for place, word in ((SELF, BLOCK), (STACK_BASE, STACK_TOP), (STACK_LIMIT, STACK_TOP - STACK_SIZE),
                            (DEALLOCATION_STACK, STACK_TOP - STACK_SIZE)):  # fmt: skip
            self.write(BLOCK + place, word)
        self.handler_returns = self.stub(self.handler_has_returned)
        self.entry = self.load(path)
        self.cpu.hook_add(unicorn.UC_HOOK_CODE, self.at_stub, begin=STUBS, end=STUBS + STUB_SIZE)
        self.cpu.hook_add(unicorn.UC_HOOK_MEM_INVALID, self.at_invalid)

    # ---- Memory and registers ----

    def write(self, address, word):
        self.cpu.mem_write(address, struct.pack("<Q", word))

    def read(self, address, form="<Q"):
        return struct.unpack(form, self.cpu.mem_read(address, struct.calcsize(form)))[0]

    def text(self, address):
        found = bytearray()
        while (byte := self.cpu.mem_read(address + len(found), 1)) != b"\0":
            found += byte
        return found.decode()

    def argument(self, number):
        return self.cpu.reg_read(X[number])

    # ---- The image ----

    def load(self, path):
        with open(path, "rb") as file:
            data = file.read()
        header = struct.unpack_from("<I", data, 0x3C)[0]
        machine, count = struct.unpack_from("<HH", data, header + 4)
        if machine != 0xAA64:
            sys.exit(f"{path} is not for arm64")
        optional = header + 24
        entry, = struct.unpack_from("<I", data, optional + 16)
        base, = struct.unpack_from("<Q", data, optional + 24)
        size, = struct.unpack_from("<I", data, optional + 56)
        self.cpu.mem_map(base, (size + PAGE - 1) & -PAGE)
        sections = optional + struct.unpack_from("<H", data, header + 20)[0]
        for index in range(count):
            length, address, file_size, offset = struct.unpack_from("<IIII", data, sections + 40 * index + 8)
            self.cpu.mem_write(base + address, data[offset:offset + min(length, file_size)])
        place = base + struct.unpack_from("<I", data, optional + 112 + 8)[0]
        while name := self.read(place + 12, "<I"):
            names, table = base + (self.read(place, "<I") or self.read(place + 16, "<I")), self.read(place + 16, "<I")
            while imported := self.read(names):
                if imported >> 63:
                    sys.exit(f"{path} imports {self.text(base + name)}#{imported & 0xFFFF}")
                self.write(base + table, self.stub(self.imported(self.text(base + imported + 2))))
                names, table = names + 8, table + 8
            place += 20
        self.image = base, size
        return base + entry

    def stub(self, function):
        self.stubs.append(function)
        return STUBS + 16 * (len(self.stubs) - 1)

    def imported(self, name):
        function = getattr(self, name, None)

        def call():
            if function is None:
                raise Missing(name)
            try:
                result = function()
            except (unicorn.UcError, KeyError) as error:
                raise Missing(f"{name}, {[hex(self.argument(number)) for number in range(4)]}: {error}") from error
            if result is not None:
                self.cpu.reg_write(X[0], int(result) & (1 << 64) - 1)

        return call

    # ---- Running ----

    def at_stub(self, _cpu, address, _size, _data):
        try:
            self.stubs[(address - STUBS) // 16]()
        except (Missing, IndexError) as error:
            self.missing = str(error)
            self.cpu.emu_stop()

    def at_invalid(self, _cpu, kind, address, _size, _value, _data):
        writes = (unicorn.UC_MEM_WRITE_UNMAPPED, unicorn.UC_MEM_WRITE_PROT)
        fetches = (unicorn.UC_MEM_FETCH_UNMAPPED, unicorn.UC_MEM_FETCH_PROT)
        self.access = (WRITE if kind in writes else EXECUTE if kind in fetches else READ), address
        return False

    def handler_has_returned(self):
        self.answer = self.argument(0) & 0xFFFFFFFF
        self.cpu.emu_stop()

    def run(self):
        self.cpu.reg_write(X[18], BLOCK)
        self.cpu.reg_write(SP, STACK_TOP - 0x100)
        at, contexts = self.entry, []
        while self.status is None:
            self.access = self.answer = None
            try:
                self.cpu.emu_start(at, 0)
                fault = None
            except unicorn.UcError as error:
                fault = error
            if self.missing is not None:
                print(f"this Windows has not: {self.missing}", file=sys.stderr)
                return 99
            if self.answer is not None:
                context, asked_to_continue = contexts.pop()
                if self.answer != 0xFFFFFFFF:
                    who = "a continue handler that does not end the search" if asked_to_continue else "unhandled"
                    print(f"an exception at {self.read(context + 0x108):#x}: {who}", file=sys.stderr)
                    return 98
                if self.continue_handlers and not asked_to_continue:
                    contexts.append((context, True))
                    at = self.call_handler(self.continue_handlers[0], context)
                else:
                    at = self.go_on(context)
            elif fault is not None:
                if not self.handlers or len(contexts) > 3:
                    print(f"{fault} at {self.cpu.reg_read(PC):#x}", file=sys.stderr)
                    return 98
                contexts.append((self.raise_exception(), False))
                at = self.call_handler(self.handlers[0], contexts[-1][0])
        return self.status

    def raise_exception(self):
        """Writes what a handler is told to the thread's own stack, and tells the CONTEXT."""
        pc, sp = self.cpu.reg_read(PC), self.cpu.reg_read(SP)
        context = (sp - 0x1000) & -16
        record = context - 0xA0
        pointers = record - 0x10
        flags = self.cpu.reg_read(FLAGS)
        self.cpu.mem_write(context, struct.pack("<II", CONTEXT_FLAGS, flags & 0xFFFFFFFF))
        words = [self.cpu.reg_read(register) for register in X] + [sp, pc]
        self.cpu.mem_write(context + 8, struct.pack("<33Q", *words))
        for number, register in enumerate(V):
            self.cpu.mem_write(context + 0x110 + 16 * number, self.cpu.reg_read(register).to_bytes(16, "little"))
        self.cpu.mem_write(context + 0x310, struct.pack("<II", self.cpu.reg_read(FPCR), self.cpu.reg_read(FPSR)))
        if self.access is not None:
            code, parameters = ACCESS_VIOLATION, self.access
        else:
            code, parameters = ILLEGAL_INSTRUCTION, ()
        self.cpu.mem_write(record, struct.pack("<IIQQI4x", code, 0, 0, pc, len(parameters)) +
                           struct.pack(f"<{len(parameters)}Q", *parameters))  # fmt: skip
        self.cpu.mem_write(pointers, struct.pack("<QQ", record, context))
        return context

    def call_handler(self, handler, context):
        """Has the thread call a handler about what was raised with this CONTEXT."""
        pointers = context - 0xA0 - 0x10
        self.cpu.reg_write(X[0], pointers)
        self.cpu.reg_write(X[30], self.handler_returns)
        self.cpu.reg_write(SP, pointers - 0x40)
        return handler

    def go_on(self, context):
        """What the kernel does with a CONTEXT: all of it is the thread's again."""
        flags, = struct.unpack("<I", self.cpu.mem_read(context + 4, 4))
        *general, sp, pc = struct.unpack("<33Q", self.cpu.mem_read(context + 8, 8 * 33))
        for register, value in zip(X, general):
            self.cpu.reg_write(register, value)
        for number, register in enumerate(V):
            self.cpu.reg_write(register, int.from_bytes(self.cpu.mem_read(context + 0x110 + 16 * number, 16), "little"))
        self.cpu.reg_write(FPCR, self.read(context + 0x310, "<I"))
        self.cpu.reg_write(FPSR, self.read(context + 0x314, "<I"))
        self.cpu.reg_write(FLAGS, flags)
        self.cpu.reg_write(SP, sp)
        return pc

    # ---- The functions of kernel32, ntdll and advapi32 ----

    def ExitProcess(self):
        self.status = self.argument(0) & 0xFFFFFFFF
        self.cpu.emu_stop()

    def AddVectoredExceptionHandler(self):
        self.handlers.insert(0, self.argument(1))
        # The ring of handlers does not look like ntdll's, so that nothing is believed of it.
        return HEAP

    def RemoveVectoredExceptionHandler(self):
        self.handlers.clear()
        return 1

    def AddVectoredContinueHandler(self):
        self.continue_handlers.insert(0, self.argument(1))
        return HEAP

    def RemoveVectoredContinueHandler(self):
        self.continue_handlers.clear()
        return 1

    def VirtualAlloc(self):
        address, size, kind, protection = (self.argument(number) for number in range(4))
        size = (size + PAGE - 1) & -PAGE
        if not address:
            address, self.next_allocation = self.next_allocation, self.next_allocation + size + 0x10000 & -0x10000
        # What is there already stays: pages of the stack.
        is_there = any(start <= address <= end for start, end, _ in self.cpu.mem_regions())
        if kind & COMMIT and protection & 0xFF != NO_ACCESS and not is_there:
            self.cpu.mem_map(address, size)
            self.allocations[address] = size
        return address

    def VirtualFree(self):
        if size := self.allocations.pop(self.argument(0), 0):
            self.cpu.mem_unmap(self.argument(0), size)
        return 1

    def VirtualProtect(self):
        self.cpu.mem_write(self.argument(3), struct.pack("<I", 4))
        return 1

    def VirtualQuery(self):
        address, into, _ = (self.argument(number) for number in range(3))
        page = address & -PAGE
        for start, end, _ in self.cpu.mem_regions():
            if start <= address <= end:
                found = struct.pack("<QQIIQIII4x", page, start, 4, 0, end + 1 - page, COMMIT, 4, 0x20000)
                break
        else:
            found = struct.pack("<QQIIQIII4x", page, 0, 0, 0, PAGE, FREE, NO_ACCESS, 0)
        self.cpu.mem_write(into, found)
        return len(found)

    def ReadProcessMemory(self):
        source, into, size, told = (self.argument(number) for number in range(1, 5))
        try:
            self.cpu.mem_write(into, bytes(self.cpu.mem_read(source, size)))
        except unicorn.UcError:
            return 0
        self.write(told, size)
        return 1

    def GetSystemInfo(self):
        self.cpu.mem_write(self.argument(0), struct.pack("<II", 12, PAGE) + bytes(40))

    def GetSystemTimeAsFileTime(self):
        self.write(self.argument(0), 1)

    def SystemFunction036(self):
        self.cpu.mem_write(self.argument(0), bytes((7 * index + 1) & 0xFF for index in range(self.argument(1))))
        return 1

    def TlsAlloc(self):
        self.next_slot += 1
        return self.next_slot - 1

    def TlsFree(self):
        return 1

    def TlsSetValue(self):
        self.write(BLOCK + TLS_SLOTS + 8 * self.argument(0), self.argument(1))
        return 1

    def TlsGetValue(self):
        return self.read(BLOCK + TLS_SLOTS + 8 * self.argument(0))

    def GetLastError(self):
        return self.error

    def SetLastError(self):
        self.error = self.argument(0)

    def SetThreadStackGuarantee(self):
        before, = struct.unpack("<I", self.cpu.mem_read(self.argument(0), 4))
        self.cpu.mem_write(self.argument(0), struct.pack("<I", getattr(self, "guarantee", 0)))
        if before:
            self.guarantee = before
        return 1

    def GetEnvironmentVariableA(self):
        return 0

    def GetModuleHandleExW(self):
        self.write(self.argument(2), self.image[0])
        return 1

    def GetModuleHandleW(self):
        return 0

    def AcquireSRWLockExclusive(self):
        pass

    ReleaseSRWLockExclusive = AcquireSRWLockExclusive

    def GetCurrentProcess(self):
        return -1

    def FlushInstructionCache(self):
        return 1

    def GetCurrentThreadId(self):
        return 4

    def GetCurrentProcessId(self):
        return 8

    # ---- The C library's ----

    def allocate(self, size, alignment):
        place = (self.heap + alignment - 1) & -alignment
        self.heap = place + size
        return place

    def _aligned_malloc(self):
        return self.allocate(self.argument(0), self.argument(1))

    def calloc(self):
        return self.allocate(self.argument(0) * self.argument(1), 16)

    def free(self):
        pass

    _aligned_free = free

    def memcpy(self):
        self.cpu.mem_write(self.argument(0), bytes(self.cpu.mem_read(self.argument(1), self.argument(2))))

    memmove = memcpy

    def memset(self):
        self.cpu.mem_write(self.argument(0), bytes([self.argument(1) & 0xFF]) * self.argument(2))

    def memcmp(self):
        one, other = (bytes(self.cpu.mem_read(self.argument(number), self.argument(2))) for number in (0, 1))
        return (one > other) - (one < other)

    def strlen(self):
        return len(self.text(self.argument(0)).encode())

    def puts(self):
        print(self.text(self.argument(0)))
        return 0

    def fflush(self):
        return 0

    def __acrt_iob_func(self):
        return HEAP + self.argument(0)

    def __stdio_common_vfprintf(self):
        """Knows %s, %d, %u and %x, also of 64 bits."""
        format_, place = self.text(self.argument(2)), self.argument(4)
        values = []
        for kind in format_.replace("%%", "").split("%")[1:]:
            word = self.read(place)
            values.append(self.text(word) if kind[0] == "s" else word if kind.startswith("ll") else word & 0xFFFFFFFF)
            place += 8
        print(format_.replace("ll", "") % tuple(values), end="")
        return 1


# The two names begin with what Python makes a class's own.
for name in ("__acrt_iob_func", "__stdio_common_vfprintf"):
    setattr(Machine, name, getattr(Machine, f"_Machine{name}"))


if __name__ == "__main__":
    sys.exit(Machine(sys.argv[1]).run())
