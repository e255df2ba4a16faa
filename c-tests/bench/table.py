"""The table: which measurements are compared with which, and what is hoped for.

A measurement is named ROW.CONTESTANT, a comparison as its `name` says. Comparisons are ratios that are taken round by
round: ours over a floor, a peer over ours, a size over the smallest.
"""

from dataclasses import dataclass, field

OURS = "wasmtrap"
# The library where all its clients let traps leave their handlers by a jump.
JUMP = "wasmtrap_jump"
FLOORS = ["raw_context", "raw_jump", "raw_jump_no_siginfo", "raw_jump_unblocking", "raw_jump_full_mask"]
# Others that do what the library does. An engine on its own handlers is one of them.
PEERS = ["sigsetjmp", "libsigsegv", "wasm2c_own_runtime", "wasmtime_own_handlers", "wasmtime_own_handlers_backtraces",
         "wasmer_own_handlers", "wamr_own_handler"]
# Engines that run on the library.
ON_OURS = ["wasm2c_on_wasmtrap", "wasm2c_on_wasmtrap_jump", "wasmtime_adopted", "wasmtime_adopted_backtraces",
           "wasmtime_no_std_on_wasmtrap", "wasmtime_no_std_on_wasmtrap_backtraces", "wasmer_adopted",
           "wamr_on_wasmtrap"]

# What the plots call them, where the name says less.
WORDS = {
    "wasmtrap": "libwasmtrap",
    "wasmtrap_jump": "libwasmtrap, left by a jump",
    "wasmtrap_backtrace": "libwasmtrap, with a backtrace",
    "sigsetjmp": "sigsetjmp, siglongjmp",
    "wasm2c_own_runtime": "wasm2c on its own runtime",
    "wasm2c_on_wasmtrap": "wasm2c on libwasmtrap",
    "wasm2c_on_wasmtrap_jump": "wasm2c on libwasmtrap, left by a jump",
    "wasmtime_own_handlers": "Wasmtime on its own handlers",
    "wasmtime_own_handlers_backtraces": "Wasmtime on its own handlers, backtraces",
    "wasmtime_adopted": "Wasmtime, adopted by libwasmtrap",
    "wasmtime_adopted_backtraces": "Wasmtime, adopted by libwasmtrap, backtraces",
    "wasmtime_no_std_on_wasmtrap": "Wasmtime without std on libwasmtrap",
    "wasmtime_no_std_on_wasmtrap_backtraces": "Wasmtime without std on libwasmtrap, backtraces",
    "wasmer_own_handlers": "Wasmer on its own handlers",
    "wasmer_adopted": "Wasmer, adopted by libwasmtrap",
    "wamr_own_handler": "WAMR on its own handler",
    "wamr_on_wasmtrap": "WAMR on libwasmtrap",
}

RANGES = [1, 10, 100, 1_000, 10_000, 100_000]
SITES = [10, 100, 1_000, 10_000, 100_000, 1_000_000]


@dataclass(frozen=True)
class Goal:
    """What a number should be. Both ends count as reached."""

    at_most: float = float("inf")
    at_least: float = 0

    def reached(self, number):
        return self.at_least <= number <= self.at_most

    def __str__(self):
        return f"≤ {self.at_most:g}" if self.at_least == 0 else f"≥ {self.at_least:g}"


@dataclass(frozen=True)
class Comparison:
    """The product of `over` by the product of `under`, each a list of (row, contestant)."""

    name: str
    over: list
    under: list
    goal: Goal = None


@dataclass(frozen=True)
class Engine:
    """An engine as it comes, and the same engine on the library."""

    own: str
    ours: str
    # By row: how many times as long it should take on its own handlers.
    goals: dict = field(default_factory=dict)

    def comparison(self, row):
        return Comparison(f"{row}/{self.own}:{self.ours}", [(row, self.own)], [(row, self.ours)], self.goals.get(row))


@dataclass(frozen=True)
class Section:
    """A line of the issue's table."""

    name: str
    what: str
    rows: list
    comparisons: list
    unit: str = "ns"
    # A contestant that is taken off all others, round by round: what is measured includes it.
    without: str = None
    # Goals of measurements: name, Goal.
    goals: list = field(default_factory=list)
    # How often it is measured by workers once started, if not in every round.
    rounds: int = None


# The rows that engines have, and the section that compares them.
ENGINE_ROWS = ["trap.roundtrip", "trap.kinds.unreachable", "trap.kinds.division", "trap.kinds.raise", "call.entry"]
ENGINES = "engines"
ENGINE_PAIRS = [
    Engine("wasmtime_own_handlers", "wasmtime_adopted",
           {"trap.roundtrip": Goal(at_least=1.05), "call.entry": Goal(at_least=0.98)}),
    Engine("wasmtime_own_handlers_backtraces", "wasmtime_adopted_backtraces"),
    Engine("wasmtime_own_handlers", "wasmtime_no_std_on_wasmtrap",
           {"trap.roundtrip": Goal(at_least=1.10), "call.entry": Goal(at_least=0.98)}),
    Engine("wasmtime_own_handlers_backtraces", "wasmtime_no_std_on_wasmtrap_backtraces"),
    Engine("wasm2c_own_runtime", "wasm2c_on_wasmtrap", {"trap.roundtrip": Goal(at_least=1.1)}),
    Engine("wasm2c_own_runtime", "wasm2c_on_wasmtrap_jump", {"trap.roundtrip": Goal(at_least=1.1)}),
    Engine("wasmer_own_handlers", "wasmer_adopted", {"trap.roundtrip": Goal(at_least=1)}),
    Engine("wamr_own_handler", "wamr_on_wasmtrap", {"trap.roundtrip": Goal(at_least=1)}),
]


def over_floor(row, floor, goal=None, ours=OURS):
    return Comparison(f"{row}/{floor}", [(row, ours)], [(row, floor)], goal)


def peer(row, name, goal=None):
    return Comparison(f"{row}/{name}", [(row, name)], [(row, OURS)], goal)


def size(row, name, smallest, goal=None):
    return Comparison(f"{row}/{name}", [(row, str(name))], [(row, str(smallest))], goal)


def roundtrip():
    row = "trap.roundtrip"
    goals = {"raw_context": Goal(at_most=0.90), "raw_jump_full_mask": Goal(at_most=1.03),
             "libsigsegv": Goal(at_least=1), "wasm2c_own_runtime": Goal(at_least=1.05),
             "wasmtime_own_handlers": Goal(at_least=1.4)}
    # Those that leave their own handlers by a jump, as wasmtrap_jump does.
    jumping = ["sigsetjmp", "libsigsegv", "wasm2c_own_runtime"]
    return Section(row, "protected call, memory fault, back; wasmtrap_jump leaves its handler by a jump", [row],
                   [over_floor(row, floor, goals.get(floor)) for floor in FLOORS] +
                   [peer(row, name, goals.get(name)) for name in PEERS + ON_OURS + ["wasmtrap_backtrace"]] +
                   [Comparison(f"{row}.{JUMP}/{floor}", [(row, JUMP)], [(row, floor)], goals.get(floor))
                    for floor in FLOORS] +
                   [Comparison(f"{row}.{name}/{JUMP}", [(row, name)], [(row, JUMP)], goals.get(name))
                    for name in jumping])


def kinds():
    comparisons = []
    for kind in ["unreachable", "division", "overflow"]:
        row = f"trap.kinds.{kind}"
        comparisons += [over_floor(row, floor) for floor in FLOORS] + [peer(row, name) for name in PEERS + ON_OURS]
    row = "trap.kinds.raise"
    comparisons += [over_floor(row, "raw_jump")] + [peer(row, name) for name in PEERS + ON_OURS]
    rows = [f"trap.kinds.{kind}" for kind in ["unreachable", "division", "overflow", "raise"]]
    return Section("trap.kinds", "the same for ud2 or udf, division, stack overflow, and what code raises without a "
                   "fault (wasmtrap_raise)", rows, comparisons,
                   goals=[("trap.kinds.raise.wasmtrap", Goal(at_most=30))])


def entry():
    row = "call.entry"
    # A jump buffer that nothing ever jumps to is less than a protected call, so it is a floor and no peer.
    return Section(row, "protected call of an empty function, less the plain indirect call", [row],
                   [over_floor(row, "raw_jump")] + [peer(row, name, Goal(at_least=1)) for name in PEERS] +
                   [peer(row, name) for name in ON_OURS],
                   without="plain", goals=[("call.entry.wasmtrap", Goal(at_most=3))])


def engines():
    return Section(ENGINES, "what an engine takes on its own handlers, over what it takes on the library", [ENGINES],
                   [pair.comparison(row) for pair in ENGINE_PAIRS for row in ENGINE_ROWS])


def lookups():
    flat = Goal(at_most=1.2)
    scattered_sites = Comparison("lookup.scale.sites_scattered/1000000", [("lookup.scale.sites_scattered", "1000000")],
                                 [("lookup.scale.scattered", "1")], flat)
    return Section("lookup.scale", "trap with many ranges, and with many sites in one; scattered: all over the code",
                   ["lookup.scale", "lookup.scale.scattered", "lookup.scale.sites", "lookup.scale.sites_scattered"],
                   [size("lookup.scale", n, 1, flat) for n in RANGES[1:]] +
                   [size("lookup.scale.scattered", n, 1, flat) for n in RANGES[1:]] +
                   [size("lookup.scale.sites", n, SITES[0], flat) for n in SITES[1:]] + [scattered_sites])


def writes():
    row = "table.write"
    # Logarithmic: what a hundredfold table costs more is no more than the logarithms' ratio.
    growth = Comparison(f"{row}/100000:1000", [(row, "100000")], [(row, "1000")], Goal(at_most=5 / 3))
    return Section(row, "register and unregister a range, with as many others there", [row],
                   [size(row, n, 1) for n in RANGES[1:]] + [growth],
                   goals=[("table.write.100000", Goal(at_most=1500))])


def threads():
    rows = [f"threads.scale.{name}" for name in ["1", "2", "8", "1_registering", "2_registering"]]
    alone = "threads.scale.1"
    scaling = [
        Comparison(row.replace("scale.", "scale/"), [(alone, OURS), (row, "raw_context")],
                   [(row, OURS), (alone, "raw_context")], Goal(at_least=0.95))
        for row in rows[1:]
    ]
    return Section("threads.scale", "a trap's share of the time when threads trap at once, and one registers; "
                   "the ratio is our scaling over the floor's", rows, scaling)


def many_threads():
    row = "threads.many.64"
    throughput = [Comparison(f"{row}.{ours}/{floor}", [(row, floor)], [(row, ours)], goal)
                  for ours in [OURS, JUMP]
                  for floor, goal in [("raw_context", None), ("raw_jump_full_mask", Goal(at_least=0.95))]]
    return Section("threads.many", "the same of 64 threads, with ranges coming and going; the ratio is our throughput "
                   "over the floor's", [row], throughput)


def interrupts():
    row = "interrupt"
    return Section(row, "from the call to the trap in another thread; the floor is pthread_kill and a bare handler",
                   [row], [over_floor(row, "pthread_kill", Goal(at_most=1.2))])


def start_up():
    row = "start_up"
    return Section(row, "a fresh process up to its first trap, beyond a bare handler's", [row], [],
                   without="raw_jump_full_mask", goals=[("start_up.wasmtrap", Goal(at_most=50_000))])


def attach():
    row = "attach"
    return Section(row, "first protected call of a new thread, and detaching it, beyond its creation", [row], [],
                   without="plain", goals=[("attach.wasmtrap", Goal(at_most=20_000))])


def attached_bytes():
    return Section("attach.bytes", "what an attached thread that has trapped once holds", ["attach.bytes"], [],
                   unit="bytes", rounds=1)


def python():
    row = "python.trap"
    return Section(row, "a trap as a Python exception, beside a ctypes call that returns", [row],
                   [Comparison(f"{row}/{name}", [(row, "fault")], [(row, name)]) for name in ["ctypes", "exception"]])


def mach_calls():
    return Section("mach.calls", "calls of the kernel a trap with the Mach backend, in the simulated Mach kernel",
                   ["mach.calls"], [], unit="calls", goals=[("mach.calls.server", Goal(at_most=1))], rounds=1)


def mach_copies():
    # An exception with a thread's registers and its reply (x86-64: 42 words of them), no message besides, no memory.
    goals = [("mach.messages.both", 2), ("mach.bytes.received", 232), ("mach.bytes.sent", 212),
             ("mach.allocations.all_threads", 0)]
    return Section("mach.copies", "messages, bytes that they carry to the server and back, and allocations of such a "
                   "trap", ["mach.messages", "mach.bytes", "mach.allocations"], [], unit="",
                   goals=[(name, Goal(at_most=most)) for name, most in goals], rounds=1)


def library_size():
    return Section("size", "the shared library, stripped", ["size"], [], unit="bytes",
                   goals=[("size.stripped", Goal(at_most=128 * 1024))])


SECTIONS = [roundtrip(), kinds(), entry(), engines(), lookups(), writes(), threads(), many_threads(), interrupts(),
            start_up(), attach(), attached_bytes(), python(), mach_calls(), mach_copies(), library_size()]
