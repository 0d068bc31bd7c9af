"""The audit is silent on a good run, and finds a single number that was changed in any of its files."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.test_flops import CONFIG, DRAFT, Drafting
from tests.running.cells import sums_cell
from tts_eval.audit import main
from tts_eval.auditing.run_audit import audit
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import WordCodec
from tts_eval.running.loop import run_cell

Change = Callable[[Any], None]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "run"
    checked, engine = sums_cell(folder, engine=Drafting({}, codec=WordCodec()), num_problems=4)
    drafting = replace(checked, architecture=CONFIG, drafting=DRAFT)
    asyncio.run(run_cell(drafting, engine, Grader(GradingPool())))
    return folder


def in_summary(*keys: str | int, times: float = 1.01, plus: float = 0.0) -> tuple[str, Change]:
    """Change one number of the summary."""

    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = document[keys[-1]] * times + plus

    return "summary.json", change


def in_spend(*keys: str, plus: float) -> tuple[str, Change]:
    """Change one number in the spend of the first problem."""
    return "problems.jsonl", in_summary("spend", *keys, times=1, plus=plus)[1]


def in_call(key: str, plus: float) -> tuple[str, Change]:
    """Change one number of the first call."""
    return "calls.jsonl", in_summary(key, times=1, plus=plus)[1]


def set_to(file: str, *keys: str | int, value: Any) -> tuple[str, Change]:
    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return file, change


FAULTS: dict[str, tuple[str, Change]] = {
    "a right answer more": in_summary("num_correct", times=1, plus=1),
    "accuracy": in_summary("accuracy"),
    "an interval": set_to("summary.json", "accuracy_ci95", value=[0.1, 0.2]),
    "failed": in_summary("num_failed", times=1, plus=1),
    "generated tokens": in_summary("tokens", "generated"),
    "a role's tokens": in_summary("tokens", "by_role", "policy", "prompt"),
    "total FLOPs": in_summary("flops_per_problem", "total"),
    "a draft's FLOPs": in_summary("flops_per_problem", "draft"),
    "a role's FLOPs": in_summary("flops_per_problem_by_role", "policy"),
    "dollars": in_summary("usd_total"),
    "dollars of a role": in_summary("usd_by_role", "policy"),
    "dollars a problem": in_summary("usd_per_problem"),
    "wall": in_summary("wall_s"),
    "GPUs": in_summary("num_gpus", times=2),
    "a median": in_summary("tta_s", "p50"),
    "the engine's tokens": in_summary("engine_generated_tokens", times=1, plus=100),
    "a problem's tokens": in_spend("num_generated_tokens", plus=1),
    "a problem's calls": in_spend("num_calls", plus=1),
    "a problem's end": in_spend("finished_s", plus=1.0),
    "a problem's first token": in_spend("ttft_s", plus=0.5),
    "a part of the critical path": in_spend("critical_path", "decode_s", plus=0.25),
    "a call's tokens": in_call("num_generated_tokens", plus=1),
    "a call's end": in_call("finished_s", plus=2.0),
    "a call's drafts": in_call("num_draft_tokens", plus=3),
    "a call's problem": set_to("calls.jsonl", "problem_id", value="sum-3"),
    "a verdict": set_to("problems.jsonl", "grade", "verdict", value="undecided"),
    "the price": set_to("manifest.json", "hardware", "usd_per_gpu_hour", value=1.0),
    "a session's price": set_to("manifest.json", "sessions", 0, "hardware", "usd_per_gpu_hour", value=1.0),
    "a session's dollars": in_summary("sessions", 0, "usd_total"),
    "a key that nobody knows": set_to("summary.json", "goodness", value=1),
}


def changed(folder: Path, file: str, change: Change) -> None:
    """Apply `change` to a document, or to the first line of a file of lines."""
    path = folder / file
    if file.endswith(".json"):
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))
        return
    first, *others = path.read_text().splitlines()
    line = json.loads(first)
    change(line)
    path.write_text("\n".join([json.dumps(line), *others, ""]))


def test_a_good_run_adds_up(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(good) == ([], [])
    assert json.loads((good / "summary.json").read_text())["inconsistencies"] == []
    assert main([str(good)]) == 0
    assert "adds up" in capsys.readouterr().out


@pytest.mark.parametrize("fault", FAULTS)
def test_a_number_that_was_changed_is_found(good: Path, tmp_path: Path, fault: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(good, run)
    changed(run, *FAULTS[fault])
    faults, _ = audit(run)
    assert faults
    assert main([str(run)]) == 1


def test_calls_of_fill_and_of_problems_cut_off_are_stated(good: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(good, run)
    lines = (run / "calls.jsonl").read_text().splitlines()
    stray = {**json.loads(lines[0]), "problem_id": "fill-1", "num_generated_tokens": 0}
    (run / "calls.jsonl").write_text("\n".join([*lines, json.dumps(stray), ""]))

    faults, remarks = audit(run)
    assert faults == []
    assert remarks == ["1 calls of fill, or of problems never finished are in no figure"]


def test_no_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "no run is there" in capsys.readouterr().err
