"""The table at the end says what cells differ in, and what its figures are worth."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.running.cells import sums_cell
from tests.summary.made import summary_of
from tts_eval.command.table import _distinct_parts, print_table
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.running.loop import run_cell
from tts_eval.running.sweep import Sweep
from tts_eval.summary.throughput import Backlog


def printed(folder: Path, **changed: Any) -> str:
    """Return the table of a plain cell and one whose summary has these figures."""
    checked, _ = sums_cell(folder)
    other = replace(checked, cell=replace(checked.cell, name="drafting"))
    stream = io.StringIO()
    sweep = Sweep(summaries=[(checked, summary_of()), (other, summary_of(**changed))])
    print_table(sweep, console=Console(file=stream, width=160))
    return stream.getvalue()


def test_acceptance_has_a_column_where_a_cell_speculates(tmp_path: Path) -> None:
    assert "acceptance length" not in printed(tmp_path)
    table = printed(tmp_path, mean_acceptance_length=3.2523)

    assert "acceptance length" in table
    [line] = [line for line in table.splitlines() if "drafting" in line]
    assert "3.25" in line


def test_a_synthetic_cell_has_neither_accuracy_nor_a_cost_of_answers(tmp_path: Path) -> None:
    table = printed(tmp_path, accuracy=None, accuracy_ci95=None, usd_per_correct=None)
    [line] = [line for line in table.splitlines() if "drafting" in line]

    assert line.split("│")[3].strip() == "-"
    assert line.split("│")[-2].strip() == "-"


async def test_a_cell_whose_engine_fell_behind_is_named(tmp_path: Path) -> None:
    calm, engine = sums_cell(tmp_path / "calm")
    summary = await run_cell(calm, engine, Grader(GradingPool()))
    busy, _ = sums_cell(tmp_path / "busy")
    backlog = dict.fromkeys(Backlog.__struct_fields__, 0) | {"arrivals_per_s": 2.0, "answers_per_s": 1.25}
    behind = summary_of(saturated=True, saturation=backlog | {"window_s": (1.0, 2.0)})
    sweep = Sweep([(calm, summary), (busy, behind)])

    out = io.StringIO()
    print_table(sweep, console=Console(file=out, width=160))
    [line] = [line for line in out.getvalue().splitlines() if "saturated" in line]
    assert line.startswith(
        "busy: saturated: in the second half of the load 2.00 problems/s came and 1.25 were"
    )


def test_failures_have_a_column_and_a_cell_of_nothing_else_no_accuracy(tmp_path: Path) -> None:
    assert "failed" not in printed(tmp_path)
    table = printed(tmp_path, num_failed=100)
    [line] = [line for line in table.splitlines() if "drafting" in line]

    assert line.split("│")[3].strip() == "failed"
    assert line.split("│")[-2].strip() == "100 of 100"


def test_a_list_in_an_override_is_not_taken_apart() -> None:
    names = ["seed=1,task.levels=[1,2]", "seed=1,task.levels=[1,3]", "seed=1,task.levels='a,b'"]
    assert _distinct_parts(names) == ["task.levels=[1,2]", "task.levels=[1,3]", "task.levels='a,b'"]


def test_what_a_verifier_did_not_read_or_score_is_named(tmp_path: Path) -> None:
    assert "the verifier" not in printed(tmp_path)
    table = printed(tmp_path, num_unread_steps=7, num_unscored_traces=3)
    assert "drafting: 7 steps did not fit the verifier's model" in table
    assert "drafting: the verifier came to no verdict on 3 traces" in table


def test_answers_cut_while_thinking_are_warned_of(tmp_path: Path) -> None:
    note = "drafting: 85 of 100 answers were cut while thinking: raise max_tokens"
    assert note in printed(tmp_path, num_truncated=85, num_unfinished_thinking=85)
    assert "were cut" not in printed(tmp_path, num_truncated=20, num_unfinished_thinking=20)
