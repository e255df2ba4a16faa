"""SQLite, as the project compiles it for browsers, in WebAssembly: enough of a binding to run SQL.

The module asks for Emscripten's library. In memory SQLite needs next to nothing of it: what is not here says ENOSYS.
"""

import time

import wasmtime_host

ENOSYS = 52  # WASI's number, which Emscripten's libc has
ROW, DONE = 100, 101
INTEGER, FLOAT, TEXT, BLOB, NULL = 1, 2, 3, 4, 5


class Environment(dict):
    """Emscripten's imports: a clock, and ENOSYS for the rest."""

    def __missing__(self, name):
        return lambda *arguments: -ENOSYS


class Database:
    def __init__(self, modules):
        self.memory = wasmtime_host.load(modules / "sqlite_memory.module").instantiate()
        clock = Environment(emscripten_date_now=lambda: time.time() * 1000,
                            emscripten_get_now=lambda: time.monotonic() * 1000,
                            emscripten_resize_heap=self.resize, _emscripten_get_now_is_monotonic=lambda: 1,
                            _tzset_js=lambda *arguments: None, _localtime_js=lambda *arguments: None)
        imports = {"env": [self.memory, clock], "wasi_snapshot_preview1": Environment()}
        self.instance = wasmtime_host.load(modules / "sqlite3.module").instantiate(imports)
        self.call = self.instance.call
        self.call("__wasm_call_ctors")
        place = self.call("malloc", 4)
        self.check(self.call("sqlite3_open", self.text(":memory:"), place))
        self.handle = self.integer(place)

    def resize(self, wanted):
        pages = -(-(wanted - self.memory.memory_size("memory")) // 65536)
        try:
            self.memory.grow("memory", pages)
        except wasmtime_host.Error:
            return 0
        return 1

    def check(self, code):
        if code:
            raise ValueError(self.string(self.call("sqlite3_errmsg", self.handle)))

    # ---- Memory ----

    def text(self, text):
        data = text.encode() + b"\0"
        address = self.call("malloc", len(data))
        self.memory.write("memory", address, data)
        return address

    def integer(self, address):
        return int.from_bytes(self.memory.read("memory", address, 4), "little")

    def string(self, address):
        address &= 0xFFFFFFFF
        found = b""
        while b"\0" not in found:
            found += self.memory.read("memory", address + len(found), 16)
        return found.split(b"\0")[0].decode()

    # ---- SQL ----

    def value(self, statement, column):
        kind = self.call("sqlite3_column_type", statement, column)
        if kind == INTEGER:
            return self.call("sqlite3_column_int64", statement, column)
        if kind == FLOAT:
            return self.call("sqlite3_column_double", statement, column)
        return None if kind == NULL else self.string(self.call("sqlite3_column_text", statement, column))

    def prepare(self, sql):
        place, text = self.call("malloc", 4), self.text(sql)
        self.check(self.call("sqlite3_prepare_v2", self.handle, text, -1, place, 0))
        return self.integer(place)

    def rows(self, sql):
        statement = self.prepare(sql)
        rows = []
        while (step := self.call("sqlite3_step", statement)) == ROW:
            count = self.call("sqlite3_column_count", statement)
            rows.append(tuple(self.value(statement, column) for column in range(count)))
        self.check(0 if step == DONE else step)
        self.check(self.call("sqlite3_finalize", statement))
        return rows
