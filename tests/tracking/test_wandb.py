"""W&B gets the run's story when it can, says in one line when it cannot, and never stops a run."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tts_eval.tracking.none import NoTracking
from tts_eval.tracking.progress import Progress
from tts_eval.tracking.wandb import WandbTracker, WandbTracking

ROOT = Path(__file__).resolve().parents[2]
NOT_LOGGED_IN: dict[str, str] = {}
LOGGED_IN = {"WANDB_API_KEY": "0" * 40}


def track(mode: str, directory: Path, **environment: str) -> tuple[int, str, str]:
    """Run offline_run.py as a user with an empty home whose W&B server is a closed port."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    home = directory / "home"
    home.mkdir(parents=True)
    of_test = {"HOME": str(home), "WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_HTTP_TIMEOUT": "2"}
    process = subprocess.Popen(
        [sys.executable, "tests/tracking/offline_run.py", mode, str(directory / "run")],
        cwd=ROOT,
        env=inherited | of_test | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    output, errors = process.communicate(timeout=60)
    assert output == ""
    assert not left_behind(process.pid)
    return process.returncode, output, errors


def left_behind(parent_id: int) -> list[list[str]]:
    """Return the command lines of W&B's own processes that serve process `parent_id`, after 5 s of grace."""
    for _ in range(50):
        commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
        found = [line for line in commands if "wandb-core" in " ".join(line) and str(parent_id) in line]
        if not found:
            return []
        time.sleep(0.1)
    return found


def records(run_directory: Path) -> Iterator[Any]:
    """Yield the records of an offline run: LevelDB's log format (blocks of 32 KiB) after a 7-byte header."""
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

    (file,) = run_directory.glob("wandb/offline-run-*/*.wandb")
    data, position, parts = file.read_bytes(), 7, b""
    while position + 7 <= len(data):
        left_in_block = 32768 - position % 32768
        if left_in_block < 7:
            position += left_in_block
            continue
        _, length, kind = struct.unpack("<IHB", data[position : position + 7])
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield Record.FromString(parts)
            parts = b""


def test_offline_the_whole_story_lies_in_the_run_directory(tmp_path: Path) -> None:
    code, _, errors = track("auto", tmp_path)

    summary: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    for record in records(tmp_path / "run"):
        for item in record.summary.update:
            summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        if record.WhichOneof("record_type") == "history":
            items = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
            history.append({key: json.loads(value) for key, value in items.items()})
        if record.WhichOneof("record_type") == "run":
            run = record.run
    (table,) = (tmp_path / "run").glob("wandb/offline-run-*/files/media/table/problems_*.table.json")
    live = [row["progress/accuracy"] for row in history if "progress/accuracy" in row]

    assert code == 0
    assert errors.splitlines() == [
        "W&B: tracking offline (not logged in). To track online: wandb login. "
        "To upload later: wandb sync RUN_DIRECTORY/wandb/offline-run-*"
    ]
    assert (run.project, run.display_name, run.run_group, run.job_type) == (
        "tts_eval",
        "cell",
        "sweep",
        "cot",
    )
    assert {item.key: json.loads(item.value_json) for item in run.config.update}["strategy"] == {"n": 4}
    assert (summary["accuracy"], summary["tta_s"]) == (0.5, {"p50": 1.5, "p99": None})
    assert live[-1] == 0.5
    assert len(live) == 11  # 100 updates over 50 s, one sent in 5 s, and the last
    assert json.loads(table.read_text())["columns"] == ["id", "answer", "votes", "tta_s"]
    assert json.loads(table.read_text())["data"] == [["a", "2", "[2, 1]", None], ["b", None, None, 1]]


@pytest.mark.parametrize(
    ("environment", "problem"), [(NOT_LOGGED_IN, "not logged in"), (LOGGED_IN, "127.0.0.1:9")]
)
def test_online_without_access_is_refused_in_one_line(
    tmp_path: Path, environment: dict[str, str], problem: str
) -> None:
    start_s = time.monotonic()
    code, _, errors = track("online", tmp_path, **environment)

    last_line = errors.strip().splitlines()[-1]
    assert code != 0
    assert last_line.startswith("ValueError: tracking.mode=online, but W&B cannot be used: ")
    assert problem in last_line
    assert "tracking=none" in last_line
    assert time.monotonic() - start_s < 30
    assert not (tmp_path / "run").exists()


def test_logged_in_but_cut_off_the_run_is_tracked_offline(tmp_path: Path) -> None:
    code, _, errors = track("auto", tmp_path, **LOGGED_IN)

    assert code == 0
    assert errors.startswith("W&B: tracking offline (")
    assert len(errors.splitlines()) == 1
    assert list((tmp_path / "run").glob("wandb/offline-run-*/*.wandb"))


class BrokenRun:
    """A W&B run whose every call fails but the last."""

    def __init__(self) -> None:
        self.num_logs = 0
        self.exit_codes: list[int] = []

    def log(self, figures: dict[str, Any]) -> None:
        self.num_logs += 1
        raise OSError("disk\nfull")

    def finish(self, exit_code: int) -> None:
        self.exit_codes.append(exit_code)


def progress(done: int, *, elapsed_s: float) -> Progress:
    return Progress(10, done, done, 0, 10 * done, elapsed_s=elapsed_s, usd=0.1)


def test_a_failing_service_is_told_once_and_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run = BrokenRun()

    with WandbTracker(run) as tracker:  # type: ignore[arg-type]
        tracker.update(progress(1, elapsed_s=0))
        tracker.update(progress(2, elapsed_s=60))
        tracker.finish({"accuracy": 1.0}, [])

    assert run.num_logs == 3
    assert run.exit_codes == [0]
    assert capsys.readouterr().err == (
        "W&B: tracking failed (disk full); the run goes on, its directory has everything\n"
    )


def test_a_run_that_breaks_off_is_marked_as_failed() -> None:
    run = BrokenRun()

    with pytest.raises(KeyboardInterrupt), WandbTracker(run):  # type: ignore[arg-type]
        raise KeyboardInterrupt

    assert run.exit_codes == [1]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"mode": "sometimes"}, "tracking.mode must be one of auto, online, offline, not 'sometimes'"),
        ({"project": ""}, "tracking.project must have 1 to 128 characters, none of"),
        ({"project": "a/b"}, "tracking.project must have 1 to 128 characters, none of"),
        ({"tags": "one"}, "tracking.tags must be a list of texts of 1 to 64 characters, not 'one'"),
    ],
)
def test_a_bad_setting_is_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        WandbTracking(**setting)

    assert message in str(refusal.value)


def test_the_configured_trackings_are_these() -> None:
    found = {
        file.stem: instantiate(OmegaConf.load(file)) for file in (ROOT / "conf" / "tracking").glob("*.yaml")
    }

    assert found == {"wandb": WandbTracking(tags=[]), "none": NoTracking()}
