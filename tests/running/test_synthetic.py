"""Under synthetic acceptance the text means nothing: times are told, and nothing that hangs on answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.running.cells import Calculator, sums_cell
from tests.summary.made import summary_of
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import WordCodec
from tts_eval.requests import EngineFacts
from tts_eval.rundir.schema import plain
from tts_eval.running.loop import run_cell
from tts_eval.summary.answers import without_answers


@dataclass
class Synthetic(Calculator):
    """Says right sums, and that its drafts are accepted by chance."""

    @property
    def facts(self) -> EngineFacts:
        return replace(super().facts, is_synthetic=True, is_seeded=False)


def keys(figures: dict[str, Any], word: str) -> dict[str, Any]:
    """Return the figures with `word` in their names, at any depth."""
    found = {name: value for name, value in figures.items() if word in name}
    for value in figures.values():
        if isinstance(value, dict):
            found |= keys(value, word)
    return found


async def test_nothing_is_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked, engine = sums_cell(tmp_path, engine=Synthetic({}, codec=WordCodec()))
    summary = plain(await run_cell(checked, engine, Grader(GradingPool())))

    assert (summary["is_synthetic"], summary["is_seeded"], summary["num_problems"]) == (True, False, 3)
    for word in ("accuracy", "correct"):
        assert len(keys(summary, word)) >= 2
        assert set(keys(summary, word).values()) == {None}
    assert summary["tta_s"] is not None
    assert summary["usd_per_problem"] is not None
    lines = [json.loads(line) for line in (tmp_path / "problems.jsonl").read_text().splitlines()]
    assert {line["grade"]["verdict"] for line in lines} == {"undecided"}
    assert {line["grade"]["reason"] for line in lines} == {"synthetic acceptance: the text means nothing"}
    assert "accuracy" not in capsys.readouterr().err


def test_every_depth_is_without_answers() -> None:
    dear = {"usd_total": 1.0, "usd_per_correct": 2.0, "usd_per_correct_ci95": (1.0, 2.0)}
    band = {"usd_per_generated_token": (1, 2), "usd_per_problem": (1, 2), "usd_per_correct": (1, 2)}
    band["usd_per_gpu_hour"] = (1, 2)
    whole = summary_of(**dear, cost_busy=dear, price_band=band, joules_per_correct=3.0, power_valid=True)
    figures = plain(without_answers(whole))

    assert (figures["usd_total"], figures["usd_per_correct"]) == (1.0, None)
    assert figures["cost_busy"]["usd_total"] == 1.0
    assert figures["cost_busy"]["usd_per_correct"] is figures["cost_busy"]["usd_per_correct_ci95"] is None
    assert figures["price_band"]["usd_per_problem"] == [1.0, 2.0]
    assert figures["price_band"]["usd_per_correct"] is figures["joules_per_correct"] is None
    assert figures["accuracy"] is figures["accuracy_ci95"] is None
