"""The table at the end says what its figures are worth."""

import io
from pathlib import Path

from rich.console import Console

from tests.running.cells import sums_cell
from tts_eval.command.table import print_table
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.running.run import run_cell
from tts_eval.running.sweep import Sweep


async def test_a_cell_whose_engine_fell_behind_is_named(tmp_path: Path) -> None:
    calm, engine = sums_cell(tmp_path / "calm")
    summary = await run_cell(calm, engine, Grader(GradingPool()))
    busy, _ = sums_cell(tmp_path / "busy")
    behind = {"arrivals_per_s": 2.0, "answers_per_s": 1.25}
    sweep = Sweep([(calm, summary), (busy, {**summary, "saturated": True, "saturation": behind})])

    out = io.StringIO()
    print_table(sweep, console=Console(file=out, width=160))
    [line] = [line for line in out.getvalue().splitlines() if "saturated" in line]
    assert line.startswith(
        "busy: saturated: in the second half of the load 2.00 problems/s came and 1.25 were"
    )
