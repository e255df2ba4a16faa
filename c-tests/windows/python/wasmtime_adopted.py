"""CPython for Windows with Wasmtime's wheel, both as PyPI has them, and the library by ctypes: Wasmtime is adopted. Its
traps stay its own and the library's are the library's; Python's faulthandler, a vectored handler that reports each
access violation that it hears of, hears of none of them; crashes come to it, and to ctypes' frames, as ever.

    python.exe wasmtime_adopted.py WASMTRAP.DLL [crash]
"""

import ctypes
import faulthandler
import pathlib
import subprocess
import sys
import tempfile
import threading

# platform asks Windows' management interface what machine this is, of which Wine 8 lacks a part.
sys.modules["_wmi"] = None

import wasmtime  # noqa: E402

MODULE = """(module (memory 1)
    (func (export "load") (drop (i32.load (i32.const 131072))))
    (func (export "divide") (param i32 i32) (drop (i32.div_s (local.get 0) (local.get 1))))
    (func (export "unreachable") unreachable)
    (func $o (export "overflow") call $o)
    (func (export "return")))"""
WAYS = [
    ("load", (), wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS),
    ("divide", (1, 0), wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO),
    ("divide", (-(2**31), -1), wasmtime.TrapCode.INTEGER_OVERFLOW),
    ("unreachable", (), wasmtime.TrapCode.UNREACHABLE),
    ("overflow", (), wasmtime.TrapCode.STACK_OVERFLOW),
    ("return", (), None),
]
TRAPPED = 1
ACCESS_VIOLATION = 0xC0000005
THREADS, ROUNDS = 3, 30

checks = failures = 0


def ok(good, what):
    global checks, failures
    checks += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {checks} - {what}", flush=True)


class CodeDescription(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("start", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("sites", ctypes.c_void_p),
        ("site_count", ctypes.c_size_t),
        ("flags", ctypes.c_uint32),
        ("user", ctypes.c_void_p),
        ("client", ctypes.c_uint32),
        ("fault_kinds", ctypes.c_uint32),
    ]


class Library:
    """The library, and code of its own that traps: a load from an address."""

    LOAD = bytes([0x8B, 0x01, 0xC3])  # mov (%rcx), %eax; ret

    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        self.c.wasmtrap_last_error.restype = ctypes.c_char_p
        self.c.wasmtrap_call.argtypes = [ctypes.c_void_p] * 3
        self.must(self.c.wasmtrap_init(None))
        allocate = ctypes.windll.kernel32.VirtualAlloc
        allocate.restype = ctypes.c_void_p
        allocate.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32]
        reserve, commit, no_access, execute = 0x2000, 0x1000, 0x01, 0x40
        self.page = allocate(None, 4096, reserve, no_access)
        self.code = allocate(None, 4096, reserve | commit, execute)
        ctypes.memmove(self.code, self.LOAD, len(self.LOAD))
        description = CodeDescription(ctypes.sizeof(CodeDescription), self.code, len(self.LOAD))
        self.must(self.c.wasmtrap_code_register(ctypes.byref(description), ctypes.byref(ctypes.c_uint64())))

    def must(self, status):
        if status != 0:
            raise AssertionError(f"{status}: {self.c.wasmtrap_last_error().decode()}")

    def traps(self):
        return self.c.wasmtrap_call(self.code, self.page, None) == TRAPPED

    def adopt(self, start):
        self.must(self.c.wasmtrap_adopt_begin(0))
        started = start()
        engine = ctypes.c_uint64()
        self.must(self.c.wasmtrap_adopt_end(0, ctypes.byref(engine)))
        return engine, started

    def displaced(self):
        kinds = ctypes.c_uint32()
        self.must(self.c.wasmtrap_check(ctypes.byref(kinds)))
        return kinds.value & 0xFF


def wrong_ways(engine):
    store = wasmtime.Store(engine)
    exports = wasmtime.Instance(store, wasmtime.Module(engine, MODULE), []).exports(store)
    wrong = []
    for name, arguments, code in WAYS:
        try:
            exports[name](store, *arguments)
            found = None
        except wasmtime.Trap as trap:
            found = trap.trap_code
        if found != code:
            wrong.append((name, found))
    return wrong


def set_up(path, log):
    library = Library(path)
    faulthandler.enable(log)
    engine_id, engine = library.adopt(wasmtime.Engine)
    return library, engine_id, engine


def crash(path):
    library, _, engine = set_up(path, sys.stderr)
    if wrong_ways(engine) or not library.traps():
        sys.exit(1)
    print("the crash comes now", flush=True)
    faulthandler._read_null()


def main(path):
    log = tempfile.TemporaryFile()

    def heard():
        log.seek(0)
        return log.read()

    library, engine_id, engine = set_up(path, log)
    ok(library.displaced() == 0, "the library is in front of faulthandler")
    ok(wrong_ways(engine) == [], "Wasmtime's traps are its own")
    ok(library.traps(), "the library's trap is its own")
    ok(heard() == b"", "faulthandler has heard of none of them")

    faulthandler.disable()
    faulthandler.enable(log)
    ok(library.displaced() != 0, "faulthandler comes anew, in front, and is noticed")
    library.must(library.c.wasmtrap_rearm())
    wrong = []

    def run():
        for _ in range(ROUNDS):
            wrong.extend(wrong_ways(engine))
            if not library.traps():
                wrong.append("the library's")

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ok(wrong == [], "on several threads, too")
    ok(heard() == b"", "faulthandler has heard of none after wasmtrap_rearm")

    try:
        ctypes.string_at(library.page)
        ok(False, "a fault in ctypes comes to ctypes")
    except OSError as error:
        ok("access violation" in str(error), "a fault in ctypes comes to ctypes")
    ok(b"access violation" in heard(), "and faulthandler, which is asked before, has heard of it")

    library.must(library.c.wasmtrap_adopt_release(engine_id))
    ok(wrong_ways(engine) == [], "released, Wasmtime has its traps")
    faulthandler.disable()

    ended = subprocess.run([sys.executable, __file__, path, "crash"], capture_output=True)
    ok(b"the crash comes now" in ended.stdout, "a child has its traps")
    ok(ended.returncode & 0xFFFFFFFF == ACCESS_VIOLATION, "and dies of its crash")
    reports = ended.stderr.count(b"Windows fatal exception: access violation")
    ok(reports == 1 and b"in crash" in ended.stderr, "which faulthandler reports, and nothing else")
    print(f"1..{checks}")
    return failures != 0


if __name__ == "__main__":
    if sys.argv[2:] == ["crash"]:
        crash(sys.argv[1])
    sys.exit(main(sys.argv[1]))
