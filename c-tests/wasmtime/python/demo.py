"""Wasmtime with its traps on libwasmtrap, in this Python: SQLite as WebAssembly at work, and what happens when
WebAssembly traps.

    demo.py FOLDER-OF-MODULES
"""

import pathlib
import sys

import wasmtime_host

sys.path.insert(0, str(pathlib.Path(__file__).with_name("tests")))

from sqlite import Database  # noqa: E402, of the folder above

TRAPS = ["reach_the_unreachable", "load_past_the_end", "store_at_the_very_end", "call_past_the_table",
         "call_an_empty_element", "call_with_a_wrong_type", "divide_by_zero", "divide_min_by_minus_one", "convert_nan",
         "recurse_for_ever"]


def trap_of(call, *arguments):
    try:
        call(*arguments)
    except wasmtime_host.Trap as trap:
        return trap
    raise SystemExit(f"{arguments[0]} returned instead of trapping")


def main():
    modules = pathlib.Path(sys.argv[1])
    database = Database(modules)
    ((version,),) = database.rows("SELECT sqlite_version()")
    print(f"SQLite {version}, as WebAssembly, in CPython {sys.version.split()[0]}:")
    database.rows("CREATE TABLE primes AS "
                  "WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 500) "
                  "SELECT n FROM n WHERE NOT EXISTS (SELECT 1 FROM n AS d WHERE d.n * d.n <= n.n AND n.n % d.n = 0)")
    count, largest, total = database.rows("SELECT count(*), max(n), sum(n) FROM primes")[0]
    print(f"    {count} primes below 500, the largest {largest}, {total} in all")
    if (count, largest, total) != (95, 499, 21536):
        raise SystemExit("which is wrong: 95, 499 and 21536")
    trap = trap_of(database.call, "sqlite3_errmsg", 0x7FFFFFFF)
    print(f"    given a wild pointer: {trap.reason}, {len(trap.frames)} frames deep; and it goes on: "
          f"{database.rows('SELECT count(*) FROM primes')[0][0]} primes")

    print("\nEvery other way to trap:")
    instance = wasmtime_host.load(modules / "traps.module").instantiate({"host": {"refuse": lambda: None}})
    for function in TRAPS:
        trap = trap_of(instance.call, function)
        frames = " < ".join(frame.function or f"func[{frame.index}]" for frame in trap.frames[:2])
        print(f"    {function:24} {trap.name:30} {frames}")
    print(f"\n{[line for line in wasmtime_host.describe().splitlines() if line.startswith('backend')][0]}")


if __name__ == "__main__":
    main()
