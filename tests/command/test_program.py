"""The program as its users start it: help that reads well, one line and exit code 1 for a mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

GROUPS = ("engine", "hardware", "load", "model", "speculation", "strategy", "task", "tracking", "verifier")


def tts_eval(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tts_eval", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_lists_groups_settings_and_examples(tmp_path: Path) -> None:
    done = tts_eval(tmp_path, "--help")
    shown, told = done.stdout.splitlines(), dict[str, str]()
    for line in shown:
        name, colon, options = line.partition(": ")
        if colon and not line.startswith(" "):
            told.setdefault(name, options)

    assert (done.returncode, done.stderr) == (0, "")
    assert shown[0].startswith("tts_eval: which way of spending test-time compute")
    assert set(GROUPS) <= set(told)
    assert {"budgeted_cot", "cot", "majority_vote"} <= set(told["strategy"].split(", "))
    assert "  max_tokens: null" in shown
    assert any(line.strip().startswith("python -m tts_eval -m strategy=") for line in shown)
    assert all(len(line) <= 130 for line in shown if line.partition(":")[0] not in told)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["strategy=majority_vot"], "did you mean 'majority_vote'?"),
        (["strategy.n=3"], "strategy has no setting 'n'; allowed: temperature, top_p, max_tokens"),
        (["-m", "seed=1,x"], "seed must be a whole number from 0, not 'x'"),
        (["task=math500", "task.path=nowhere.jsonl"], "task.path=nowhere.jsonl is not a file"),
    ],
)
def test_a_mistake_costs_one_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = tts_eval(tmp_path, *arguments, "tracking=none")

    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("tts_eval: ")
    assert says in line
    assert list(tmp_path.iterdir()) == []
