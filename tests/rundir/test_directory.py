"""The run directory survives a kill at any moment."""

import json
import math
from pathlib import Path

import pytest

from tests.rundir.manifests import manifest
from tests.running.cells import sums_cell
from tests.summary.made import summary_of
from tts_eval.engines.protocol import Drafter, RecordedDrafting
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.requests import Gauges
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.schema import SCHEMA_VERSION
from tts_eval.running.loop import run_cell
from tts_eval.spend import MaxSpend
from tts_eval.summary.summary import SUMMARY, Summary


async def finished_run(path: Path, num_problems: int = 3) -> RunDirectory:
    checked, engine = sums_cell(path, num_problems=num_problems)
    await run_cell(checked, engine, Grader(GradingPool()))
    return RunDirectory(path)


async def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    directory = await finished_run(tmp_path)
    outcome = next(o for o in directory.outcomes() if o.problem_id == "sum-1")
    assert (outcome.gold, outcome.level, outcome.session) == ("2", 2, 0)
    assert outcome.attempt is not None
    assert outcome.attempt.answer == "2"
    assert outcome.attempt.candidates[0].text == " let me see </think> \\boxed{2}"
    assert outcome.is_correct
    assert directory.gauges()[-1][1] == Gauges(num_generated_tokens=15)


async def test_a_torn_last_line_is_dropped_wherever_the_kill_came(tmp_path: Path) -> None:
    directory = await finished_run(tmp_path)
    file = tmp_path / "problems.jsonl"
    whole = file.read_bytes()
    first_two = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    for length in range(first_two + 1, len(whole), 97):
        file.write_bytes(whole[:length])
        assert len(directory.outcomes()) == 2
        directory.open()
        assert file.read_bytes() == whole[:first_two]


async def test_calls_of_a_problem_that_was_cut_off_do_not_count(tmp_path: Path) -> None:
    directory = await finished_run(tmp_path)
    file = tmp_path / "problems.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))  # killed between a problem's calls and its line
    outcomes = directory.outcomes()
    assert len(directory.calls(outcomes)) == len(outcomes) == 2


def test_a_document_is_whole_or_absent(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    assert directory.read(SUMMARY, Summary) is None
    first, second = (summary_of(accuracy=each) for each in (0.5, 0.75))
    directory.write(SUMMARY, first)
    directory.write(SUMMARY, second)
    assert directory.read(SUMMARY, Summary) == second
    assert [file.name for file in tmp_path.iterdir()] == [SUMMARY]


def test_topics_lie_side_by_side_in_the_file_and_are_told_apart_on_reading(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    written = summary_of(usd_per_correct=math.inf, usd_per_correct_ci95=(1.0, math.inf))
    directory.write(SUMMARY, written)
    figures = json.loads((tmp_path / SUMMARY).read_text())

    assert figures["accuracy"] == 0.5
    assert figures["usd_per_correct"] == "inf"
    assert figures["usd_per_correct_ci95"] == [1.0, "inf"]
    assert "held_s" in figures and figures["held_s"] is None  # of a topic that is not there
    read = directory.read(SUMMARY, Summary)
    assert read is not None and read.cost is not None
    assert read.cost.usd_per_correct_ci95 == (1.0, math.inf)
    assert read.steadiness is None
    assert read.budgeted.budget is None  # a topic that every run has, though none of its figures is known
    assert read == written


def test_an_infinite_figure_is_written_and_read_back(tmp_path: Path) -> None:
    RunDirectory(tmp_path).write_manifest(
        manifest(objectives={"tta_s": math.inf}, config={"limit": math.nan})
    )

    assert '"tta_s": "inf"' in (tmp_path / "manifest.json").read_text()
    read = RunDirectory(tmp_path).manifest()
    assert read.objectives == {"tta_s": math.inf}
    assert read.config == {"limit": None}


def test_a_manifest_is_read_back_as_it_was(tmp_path: Path) -> None:
    drafting = RecordedDrafting(Drafter.MODEL, 3, {"num_hidden_layers": 1})
    written = manifest(drafting=drafting, max_spend=MaxSpend(2, 64))
    RunDirectory(tmp_path).write_manifest(written)

    assert RunDirectory(tmp_path).manifest() == written
    assert RunDirectory(tmp_path / "nowhere").found_manifest() is None


def test_a_manifest_without_what_it_needs_is_none(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(f'{{"schema_version": {SCHEMA_VERSION}, "model": 1}}')
    with pytest.raises(ValueError, match=r"manifest\.json is no document of a run: .*\$\.model"):
        RunDirectory(tmp_path).manifest()
