"""SQLite in WebAssembly, unmodified: it works, what it answers is right, and it can be driven into traps."""

import random
import struct
import unittest

import wasmtime_host
from sqlite import Database
from support import MODULES, trap_of

# Of struct sqlite3_vfs, in words: where its xOpen and xFullPathname are.
VFS_WORDS, OPEN, FULL_PATHNAME = 22, 6, 9


class Sqlite(unittest.TestCase):
    def setUp(self):
        self.database = Database(MODULES)
        self.sql = self.database.rows

    def fill(self):
        generator = random.Random(4711)
        rows = [(number, "".join(generator.choices("abcdefgh", k=5)), generator.randrange(1000))
                for number in range(3000)]
        self.sql("CREATE TABLE items (number INTEGER PRIMARY KEY, word TEXT, size INTEGER)")
        for start in range(0, len(rows), 500):
            values = ", ".join(f"({number}, '{word}', {size})" for number, word, size in rows[start:start + 500])
            self.sql(f"INSERT INTO items VALUES {values}")
        self.sql("CREATE INDEX by_word ON items (word, size)")
        return rows

    def check_answers(self, rows):
        self.assertEqual(self.sql("SELECT count(*), sum(size), min(word), max(word) FROM items"),
                         [(len(rows), sum(size for *_, size in rows), min(word for _, word, _ in rows),
                           max(word for _, word, _ in rows))])
        by_first = {}
        for _, word, size in rows:
            by_first.setdefault(word[0], []).append(size)
        expected = [(first, len(sizes), sum(sizes) / len(sizes)) for first, sizes in sorted(by_first.items())]
        self.assertEqual(self.sql("SELECT substr(word, 1, 1) AS first, count(*), avg(size) FROM items "
                                  "GROUP BY first ORDER BY first"), expected)
        expected = sorted((word, size, number) for number, word, size in rows if "cab" in word)
        self.assertEqual(self.sql("SELECT word, size, number FROM items WHERE word LIKE '%cab%' "
                                  "ORDER BY word, size, number"), expected)

    def test_queries_have_the_answers_that_python_computes(self):
        rows = self.fill()
        self.check_answers(rows)
        self.sql("BEGIN")
        self.sql("DELETE FROM items WHERE size >= 500")
        self.check_answers([row for row in rows if row[2] < 500])
        self.sql("ROLLBACK")
        self.check_answers(rows)

    def test_known_answers(self):
        self.assertEqual(self.sql("SELECT sqlite_version(), 7 / 2, 7.0 / 2, NULL, hex('wasm'), length('naïve')"),
                         [("3.41.2", 3, 3.5, None, "7761736D", 5)])
        # Eight queens on a board, in all ways that there are, by recursion.
        sql = """
            WITH RECURSIVE
              positions(row) AS (SELECT 0 UNION ALL SELECT row + 1 FROM positions WHERE row < 7),
              boards(size, board) AS (
                SELECT 0, ''
                UNION ALL
                SELECT size + 1, board || row FROM boards, positions
                WHERE size < 8 AND NOT EXISTS (
                  SELECT 1 FROM positions AS earlier WHERE earlier.row < size
                  AND (substr(board, earlier.row + 1, 1) = CAST(positions.row AS TEXT)
                  OR abs(CAST(substr(board, earlier.row + 1, 1) AS INTEGER) - positions.row) = size - earlier.row)))
            SELECT count(*) FROM boards WHERE size = 8"""
        self.assertEqual(self.sql(sql), [(92,)])

    def test_errors_are_sqlite_s_own(self):
        with self.assertRaisesRegex(ValueError, "no such table: nowhere"):
            self.sql("SELECT * FROM nowhere")
        with self.assertRaisesRegex(ValueError, 'near "SELEC": syntax error'):
            self.sql("SELEC 1")

    def test_driven_into_traps_it_goes_on(self):
        rows = self.fill()
        call, memory = self.database.call, self.database.memory
        vfs = call("sqlite3_vfs_find", 0)
        words = struct.unpack(f"<{VFS_WORDS}I", memory.read("memory", vfs, 4 * VFS_WORDS))
        name, place = self.database.text("file"), call("malloc", 4)

        def open_with(function):
            memory.write("memory", vfs + 4 * FULL_PATHNAME, struct.pack("<I", function))
            return trap_of(self.database.instance, "sqlite3_open", name, place)

        for trap, expected in (
                (trap_of(self.database.instance, "sqlite3_column_text", -8, 0), "out of bounds memory access"),
                (trap_of(self.database.instance, "sqlite3_errmsg", 0x7FFFFFFF), "out of bounds memory access"),
                (open_with(0x7FFFFFFF), "out of bounds table access"),
                (open_with(0), "uninitialized element"),
                (open_with(words[OPEN]), "indirect call type mismatch")):
            self.assertIn(expected, trap.reason)
            self.assertTrue(all(frame.index for frame in trap.frames), trap.frames)
        memory.write("memory", vfs, struct.pack(f"<{VFS_WORDS}I", *words))
        self.check_answers(rows)

    def test_many_databases_at_once(self):
        databases = [Database(MODULES) for _ in range(10)]
        for number, database in enumerate(databases):
            database.rows(f"CREATE TABLE t AS SELECT {number} AS n")
        trap_of(databases[0].instance, "sqlite3_errmsg", 0x7FFFFFFF)
        self.assertEqual([database.rows("SELECT n FROM t") for database in databases], [[(n,)] for n in range(10)])


class Imports(unittest.TestCase):
    def test_without_its_memory_it_cannot_be_instantiated(self):
        with self.assertRaises(wasmtime_host.LinkError):
            wasmtime_host.load(MODULES / "sqlite3.module").instantiate()
