"""Runs one unittest of this folder, or lists them all: c-tests/python's own program, as if it were here."""

import pathlib

SOURCE = pathlib.Path(__file__).resolve().parents[3] / "python" / "tests" / "run_one.py"
exec(compile(SOURCE.read_text(), str(SOURCE), "exec"))
