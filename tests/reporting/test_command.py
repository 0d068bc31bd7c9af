"""`python -m tts_eval.report`: what is complained of in one line, and a report that is tracked offline."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracking.test_wandb import records
from tts_eval.report import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tracking=none"], "give the folders of the runs"),
        (["nowhere"], "nowhere: no run is there"),
        (["nowhere", "tracking=mlflow"], "mlflow"),
        (["nowhere", "--usd-per-wait-s", "1"], "--usd-per-wait-s needs --value-per-correct-usd"),
        (["nowhere", "--value-per-correct-usd", "-1"], "must be a number from 0 or more, not -1.0"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("tts_eval.report: ")
    assert message in errors
    assert len(errors.splitlines()) == 1


def test_a_report_is_tracked_offline_with_its_tables_figures_and_page(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    settings = ["tracking=wandb", "tracking.mode=offline", "--out", str(folder)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    done = subprocess.run(
        [sys.executable, "-m", "tts_eval.report", str(runs), *settings],
        cwd=ROOT,
        env=inherited | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, f"report: {folder / 'report.html'}\n")
    logged: set[str] = set()
    for record in records(folder):
        if record.WhichOneof("record_type") == "run":
            run = record.run
        if record.WhichOneof("record_type") == "history":
            logged |= {item.key or item.nested_key[0] for item in record.history.item}
    assert (run.job_type, run.display_name) == ("report", "report report")
    assert {"frontier", "regret", "report", "figures/frontiers", "figures/critical_path"} <= logged
    [media] = folder.glob("wandb/offline-run-*/files/media")
    assert list(media.glob("html/report_*.html"))
    assert list(media.glob("table/frontier_*.table.json"))
