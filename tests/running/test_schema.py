"""A run of another schema is rejected by every reader, in one line that names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tts_eval
from tests.running.cells import sums_cell
from tts_eval.command.launch import launch
from tts_eval.engines.replay.replay_engine import ReplayRun
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.planning.recorded import RecordedRun
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.problems import solved_problems
from tts_eval.rundir.schema import SCHEMA_VERSION
from tts_eval.running.loop import run_cell
from tts_eval.show import main as show
from tts_eval.summary.summarizing import summarize

READERS: dict[str, Callable[[Path], object]] = {
    "frames": tts_eval.load,
    "planning": RecordedRun.read,
    "replay": lambda run: ReplayRun(str(run)).recording,
    "solved problems": solved_problems,
    "summary": lambda run: summarize(RunDirectory(run)),
}
PROGRAMS: dict[str, Callable[[Path], int]] = {
    "resume": lambda run: launch([f"resume={run}"]),
    "show": lambda run: show([str(run), "sum-0"]),
}


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """A finished run that says it is of an earlier schema."""
    checked, engine = sums_cell(tmp_path / "old")
    await run_cell(checked, engine, Grader(GradingPool()))
    file = tmp_path / "old" / "manifest.json"
    text = file.read_text()
    assert f'"schema_version": {SCHEMA_VERSION}' in text
    file.write_text(text.replace(f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 1'))
    (file.parent / ".hydra").mkdir()
    for name in ("config", "hydra"):
        (file.parent / ".hydra" / f"{name}.yaml").write_text("hydra: {runtime: {}}\n")
    return file.parent


@pytest.mark.parametrize("name", READERS)
def test_it_is_not_read(old: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{old} was written under schema 1; only {SCHEMA_VERSION} is read"):
        READERS[name](old)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_tells_in_one_line(old: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS[name](old) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"{old} was written under schema 1; only {SCHEMA_VERSION} is read" in line


def test_a_manifest_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"schema_version": ')
    with pytest.raises(ValueError, match=r"manifest\.json is no document of a run"):
        RunDirectory(tmp_path).manifest()
    with pytest.raises(ValueError, match="no run is there"):
        RunDirectory(tmp_path / "nowhere").manifest()
