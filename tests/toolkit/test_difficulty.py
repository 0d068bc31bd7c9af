"""Which questions are hard can be learnt from a finished run, and is not told from the gold answer."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from strategies.cascade import Cascade
from strategies.cot import Cot
from tests.running.cells import sums_cell
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.records import Problem
from tts_eval.running.loop import run_cell
from tts_eval.toolkit.difficulty import TrainedDifficulty, fit, predicted
from tts_eval.train_difficulty import held_out_auc, main

EASY = [f"What is {i} plus {i + 1}?" for i in range(40)]
HARD = [f"What is {i} times {i + 1} times {i + 2} times {i + 3}?" for i in range(40)]


def test_long_products_fail_and_short_sums_do_not() -> None:
    questions, is_failed = [*EASY, *HARD], [False] * 40 + [True] * 40
    weights = fit(questions, is_failed)
    easy, hard = predicted(["What is 90 plus 95?", "What is 90 times 91 times 92 times 93?"], weights)
    assert easy < 0.2 < 0.8 < hard
    assert held_out_auc(questions, is_failed) == 1.0


def test_failures_by_chance_cannot_be_foreseen() -> None:
    coin = random.Random(0)
    questions = [f"What is {i} plus {i + 1}?" for i in range(400)]
    is_failed = [coin.random() < 0.3 for _ in questions]
    assert held_out_auc(questions, is_failed) == pytest.approx(0.5, abs=0.1)
    mean_chance = sum(predicted(questions, fit(questions, is_failed))) / 400
    assert mean_chance == pytest.approx(sum(is_failed) / 400, abs=0.02)


@pytest.fixture
async def run(tmp_path: Path) -> Path:
    """A run of twelve sums, of which the calculator gets every third wrong."""
    checked, engine = sums_cell(tmp_path / "run", num_problems=12)
    config = {"task": {"_target_": "tests.running.cells.Sums", "num_problems": 12}}
    checked = replace(checked, cell=replace(checked.cell, config=config))
    await run_cell(checked, engine, Grader(GradingPool()))
    return tmp_path / "run"


async def test_a_run_is_read_and_the_score_is_ready_for_a_cascade(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run.parent / "difficulty.json"
    assert main([str(run), f"out={file}"]) == 0
    assert "12 problems, 33.3% failed; AUC on held-out problems" in capsys.readouterr().out
    assert json.loads(file.read_text())["num_examples"] == 12

    difficulty = TrainedDifficulty(str(file))
    chance = difficulty.of(Problem("p", "3 + 3", gold="6"))
    assert 0 < chance < 1
    assert chance == difficulty.of(Problem("q", "3 + 3", gold="7"))
    Cascade(Cot(), Cot(), escalate_on="difficulty", difficulty=difficulty)


def test_what_cannot_be_read_or_learnt_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"is not a file that python -m tts_eval\.train_difficulty wrote"):
        TrainedDifficulty(str(tmp_path / "nothing.json"))
    assert main(["no-run", "out=f.json"]) == 1
    assert "no-run: no run is there" in capsys.readouterr().err
    assert main(["no-run"]) == 1
    assert "usage: python -m tts_eval.train_difficulty RUN... out=FILE" in capsys.readouterr().err
