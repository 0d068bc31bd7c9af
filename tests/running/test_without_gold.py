"""Prompts without gold answers have tokens, times and dollars; all that hangs on being right is null."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strategies.majority_vote import MajorityVote
from tests.running.cells import sums_cell
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.frames import load
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.reporting.group import groups_of
from tts_eval.rundir.schema import plain
from tts_eval.running.loop import run_cell


async def test_a_run_of_prompts_has_no_accuracy(tmp_path: Path) -> None:
    checked, engine = sums_cell(tmp_path / "run", strategy=MajorityVote(n=2))
    prompts = tuple(replace(problem, gold=None) for problem in checked.problems)
    summary = plain(await run_cell(replace(checked, problems=prompts), engine, Grader(GradingPool())))

    assert summary["num_problems"] == 3
    assert summary["tokens"]["generated"] > 0
    assert summary["usd_per_problem"] > 0
    for key in ("accuracy", "accuracy_ci95", "num_correct", "usd_per_correct", "goodput_correct_per_s"):
        assert summary[key] is None, key
    assert summary["inconsistencies"] == []

    frames = load(str(tmp_path))
    assert frames.problems["is_correct"].isna().all()
    assert [name.endswith(", no gold answers") for name in frames.groups()] == [True]
    found, without = groups_of(frames)
    assert (len(found), len(without)) == (0, 1)
    with pytest.raises(ValueError, match="runs with no gold answers have times, but no accuracy"):
        Cells.of(frames)
