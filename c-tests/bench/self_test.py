"""Tests of the benchmark itself, none of them of a time: its statistics, its driver with workers that fail, and what a
short run of all contestants has left in a folder.

    self_test.py FOLDER [--without ENGINE]...

`--without` names engines that did not take part in that run: the first words of contestants' names.
"""

import argparse
import doctest
import json
import math
import pathlib
import random
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import plots
import statistics_of_rounds
from contestants import Worker, WorkerFailed, measure_in_turn
from report import is_of, results, table
from table import (ENGINE_PAIRS, ENGINE_ROWS, ENGINES, FLOORS, JUMP, ON_OURS, OURS, PEERS, SECTIONS, WORDS, Comparison,
                   Goal, Section)

MEASUREMENT_KEYS = ["name", "unit", "median", "p10", "p90", "runs"]
COMPARISON_KEYS = ["name", "ratio"]


class Report(unittest.TestCase):
    section = Section(
        "row", "words", ["row"],
        [Comparison("row/floor", [("row", "ours")], [("row", "floor")], Goal(at_most=2)),
         Comparison("row/absent", [("row", "absent")], [("row", "ours")], Goal(at_least=1))],
        goals=[("row.ours", Goal(at_most=10))])
    # One slow round, in which both are slow: the ratio of the medians would be 3.
    numbers = {("row", "ours"): [2.0, 30.0, 90.0], ("row", "floor"): [1.0, 10.0, 90.0]}

    def test_ratios_are_taken_round_by_round(self):
        *_, ratio = results([self.section], self.numbers)
        self.assertEqual(ratio, {"name": "row/floor", "ratio": 2.0})
        uneven = {("row", "ours"): [4.0, 1.0, 10.0], ("row", "floor"): [1.0, 4.0, 10.0]}
        self.assertEqual(results([self.section], uneven)[-1]["ratio"], 1.0)

    def test_measurements_have_the_documented_keys(self):
        ours, floor, ratio = results([self.section], self.numbers)
        self.assertEqual(ours, {"name": "row.ours", "unit": "ns", "median": 30.0, "p10": 7.6, "p90": 78.0, "runs": 3})
        self.assertEqual(list(floor), MEASUREMENT_KEYS)
        self.assertEqual(list(ratio), COMPARISON_KEYS)

    def test_what_is_common_to_all_is_taken_off_round_by_round(self):
        section = Section("row", "words", ["row"], [], without="plain")
        numbers = {("row", "plain"): [1.0, 5.0, 3.0], ("row", "ours"): [4.0, 9.0, 8.0]}
        medians = {row["name"]: row["median"] for row in results([section], numbers)}
        self.assertEqual(medians, {"row.plain": 3.0, "row.ours": 4.0})

    def test_goals_are_judged_and_gaps_are_said(self):
        def text(numbers):
            absent = [("row", "absent", "not on this machine")]
            return table([self.section], results([self.section], numbers), numbers, absent)

        self.assertIn("2.000  ≤ 2: reached", text(self.numbers))
        self.assertIn("row.ours ≤ 10 ns: MISSED (30.0)", text(self.numbers))
        self.assertIn("row.absent: not measured: not on this machine", text(self.numbers))
        self.assertIn("goals without a measurement: row/absent", text(self.numbers))
        slower = {**self.numbers, ("row", "ours"): [3.0, 30.0, 90.0]}
        self.assertIn("3.000  ≤ 2: MISSED", text({**slower, ("row", "floor"): [1.0, 10.0, 10.0]}))


class Engines(unittest.TestCase):
    section = next(section for section in SECTIONS if section.name == ENGINES)
    # Twice as fast on the library, in one row. A call is measured less what it takes without protection.
    numbers = {("trap.roundtrip", "wamr_own_handler"): [4.0], ("trap.roundtrip", "wamr_on_wasmtrap"): [2.0],
               ("call.entry", "wamr_own_handler"): [4.0], ("call.entry", "wamr_on_wasmtrap"): [3.0],
               ("call.entry", "plain"): [1.0]}

    def test_an_engine_is_compared_with_itself_on_the_library(self):
        ratios = {row["name"]: row["ratio"] for row in results(SECTIONS, self.numbers) if "ratio" in row}
        self.assertEqual(ratios["trap.roundtrip/wamr_own_handler:wamr_on_wasmtrap"], 2.0)
        self.assertEqual(ratios["call.entry/wamr_own_handler:wamr_on_wasmtrap"], 1.5)

    def test_one_that_is_left_out_has_no_gaps_but_a_reason(self):
        absent = [(ENGINES, "wamr", "no WAMR_ROOT"), (ENGINES, "wasmer", "BENCH_WASMER=no")]
        text = table([self.section], [], {}, absent)
        self.assertIn("engines.wamr: not measured: no WAMR_ROOT", text)
        gaps = text[text.index("goals without a measurement"):]
        self.assertIn("wasm2c_own_runtime", gaps)
        self.assertNotIn("wamr", gaps)
        self.assertNotIn("wasmer", gaps)

    def test_each_has_a_row_of_its_own_and_a_colour(self):
        for pair in ENGINE_PAIRS:
            self.assertIn(pair.own, PEERS)
            self.assertIn(pair.ours, ON_OURS)
            self.assertLessEqual(set(pair.goals), set(ENGINE_ROWS))
        for contestant in PEERS + ON_OURS + [OURS, JUMP]:
            self.assertEqual(plots.colour_of(contestant) == plots.OURS_COLOUR, contestant in ON_OURS + [OURS, JUMP])
        for contestant in FLOORS:
            self.assertEqual(plots.colour_of(contestant), plots.FLOOR_COLOUR)
        self.assertLessEqual(set(WORDS), {*PEERS, *ON_OURS, OURS, JUMP, "wasmtrap_backtrace"})
        # Beside a bar there is room for so many letters.
        self.assertLessEqual(max(map(len, WORDS.values())), 50)


class Driver(unittest.TestCase):
    def worker(self, *statements):
        program = "\n".join(["import sys", "print('measure row ours')", "print('absent row other no such thing')",
                             "print('ready', flush=True)", *statements])
        worker = Worker([sys.executable, "-c", program])
        self.addCleanup(worker.end)
        return worker

    def test_each_measure_has_one_turn_a_round(self):
        count = "for number, line in enumerate(sys.stdin): print(number, flush=True)"
        numbers = measure_in_turn([self.worker(count)], rounds=3, warm_up=1, random=random.Random(1))
        self.assertEqual(numbers, {("row", "ours"): [1.0, 2.0, 3.0]})

    def test_rows_may_have_fewer_rounds(self):
        count = "for number, line in enumerate(sys.stdin): print(number, flush=True)"
        numbers = measure_in_turn([self.worker(count)], 3, 1, random.Random(1), {"row": 1})
        self.assertEqual(numbers, {("row", "ours"): [1.0]})

    def test_what_is_absent_is_kept_with_its_reason(self):
        self.assertEqual(self.worker().absent, [("row", "other", "no such thing")])

    def test_a_worker_that_ends_is_a_failure(self):
        with self.assertRaisesRegex(WorkerFailed, "ended with status 3"):
            self.worker("sys.stdin.readline()", "sys.exit(3)").measure("row", "ours")

    def test_an_answer_that_is_no_number_is_a_failure(self):
        with self.assertRaisesRegex(WorkerFailed, "'soon' is no number"):
            self.worker("sys.stdin.readline()", "print('soon', flush=True)", "sys.stdin.read()").measure("row", "ours")


class Plots(unittest.TestCase):
    def test_plots_of_little_and_of_much_are_drawings(self):
        rounds = [5.0, 7.0, 6.0]
        little = {("trap.roundtrip", "raw_context"): rounds, ("trap.roundtrip", "wasmtrap"): [4.0, 5.0, 5.0]}
        # One that is far off the axis of ratios, and one that is not.
        engine = {("trap.roundtrip", "wamr_own_handler"): [20.0, 21.0, 20.0],
                  ("trap.roundtrip", "wamr_on_wasmtrap"): rounds,
                  ("trap.kinds.raise", "wamr_own_handler"): rounds, ("trap.kinds.raise", "wamr_on_wasmtrap"): rounds}
        much = {**little, **engine, **{("table.write", str(10 ** power)): rounds for power in range(6)}}
        for numbers, names in [({}, []), (little, ["trap.roundtrip.svg"]),
                               (much, ["trap.roundtrip.svg", "engines.svg", "table.write.svg"])]:
            with tempfile.TemporaryDirectory() as folder:
                drawn = [pathlib.Path(file) for file in plots.draw_all(numbers, pathlib.Path(folder))]
                self.assertEqual([file.name for file in drawn], names)
                for file in drawn:
                    self.assertEqual(xml.etree.ElementTree.parse(file).getroot().tag, "{http://www.w3.org/2000/svg}svg")


class ShortRun(unittest.TestCase):
    """What a run of all contestants has written."""

    folder, without = None, ()

    def setUp(self):
        self.rows = json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    def test_every_row_is_a_measurement_or_a_comparison(self):
        for row in self.rows:
            self.assertIn(list(row), [MEASUREMENT_KEYS, COMPARISON_KEYS])
            numbers = [value for key, value in row.items() if key not in ("name", "unit")]
            self.assertTrue(all(math.isfinite(number) for number in numbers), row)
            self.assertGreaterEqual(row.get("runs", 1), 1, row)
        names = [row["name"] for row in self.rows]
        self.assertEqual(len(names), len(set(names)))

    def test_everything_with_a_goal_was_measured(self):
        names = {row["name"] for row in self.rows}
        for section in SECTIONS:
            for comparison in section.comparisons:
                if comparison.goal and not is_of(comparison, self.without):
                    self.assertIn(comparison.name, names)
            for name, _ in section.goals:
                self.assertIn(name, names)

    def test_times_are_positive(self):
        for section in SECTIONS:
            for row in self.rows:
                # What is measured less something else may come out at nothing in a single round.
                measured = "median" in row and row["name"].startswith(section.name + ".")
                if measured and section.unit == "ns" and not section.without:
                    self.assertGreater(row["median"], 0, row)

    def test_all_plots_were_drawn(self):
        for name in ["trap.roundtrip", "engines", "lookup.scale", "table.write"]:
            self.assertGreater(len(list(xml.etree.ElementTree.parse(self.folder / f"{name}.svg").iter())), 20)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--without", action="append", default=[])
    arguments = parser.parse_args()
    ShortRun.folder, ShortRun.without = arguments.folder, arguments.without
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    for module in [statistics_of_rounds, plots]:
        suite.addTests(doctest.DocTestSuite(module))
    outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad} passed, {bad} failed")
    return 0 if outcome.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
