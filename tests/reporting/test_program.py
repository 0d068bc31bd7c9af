"""The report of a small sweep: its files, and which runs it will not mix."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

import tts_eval
from tests.reporting.runs import replayed_vote, sums_run
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.flops import flops_by_problem
from tts_eval.analysis.frontier import frontier
from tts_eval.analysis.regret import regret
from tts_eval.analysis.utility import utility
from tts_eval.reporting.decisions import Rates
from tts_eval.reporting.program import write_report
from tts_eval.rundir.schema import SCHEMA_VERSION
from tts_eval.tracking.none import NoTracking


def test_frontier_csv_says_what_the_frontiers_say(runs: Path, report: Path) -> None:
    table = pd.read_csv(report / "frontier.csv").set_index(["axis", "cell"])
    cells = Cells.of(tts_eval.load(runs))
    for axis in ("tokens_per_problem", "tta_s_p50", "usd_per_correct"):
        expected = frontier(cells, axis)
        found = table.loc[axis].loc[expected.index]
        assert found["cost"].tolist() == pytest.approx(expected["cost"].tolist())
        assert found["on_frontier"].tolist() == expected["on_frontier"].tolist()
        assert set(found["provenance"]) == {"measured"}
    assert set(table["parallelism"]) == {"one worker", "TP2"}


def test_regret_csv_says_what_the_regret_says(runs: Path, report: Path) -> None:
    table = pd.read_csv(report / "regret.csv").set_index("cell")
    expected = regret(Cells.of(tts_eval.load(runs)), compute="tokens_per_problem", system="usd_per_correct")
    is_pair = (table["compute"] == "tokens_per_problem") & (table["system"] == "usd_per_correct")
    found = table[is_pair].loc[expected.index]
    assert found["regret"].tolist() == pytest.approx(expected["regret"].tolist(), abs=1e-15)
    assert found["system_cell"].tolist() == expected["system_cell"].tolist()


def test_levels_csv_says_which_cell_is_the_best_where(runs: Path, report: Path) -> None:
    table = pd.read_csv(report / "levels.csv")
    assert table["budget"].nunique() == 4
    last = table[table["budget"] == table["budget"].max()]
    assert last["lowest"].tolist() == [1, 2, 1]
    assert last["num_problems"].tolist() == [3, 3, 6]
    assert set(last["cell"].dropna()) <= set(Cells.of(tts_eval.load(runs)).names)
    assert set(table["difficulty"]) == {"oracle"}


def test_equivalents_csv_pairs_cells_of_two_models_at_equal_cost(report: Path) -> None:
    table = pd.read_csv(report / "equivalents.csv")
    accuracy = pd.read_csv(report / "frontier.csv").drop_duplicates("cell").set_index("cell")["accuracy"]
    assert len(table)
    assert table["big"].str.startswith("model=big").all()
    assert table["small"].str.startswith("model=small").all()
    assert table["cost_ratio"].between(0.8, 1.25).all()
    ahead = accuracy[table["big"]].to_numpy() - accuracy[table["small"]].to_numpy()
    assert table["difference"].tolist() == pytest.approx(ahead.tolist())


def test_the_flops_of_problems_add_up_to_those_of_their_run(runs: Path) -> None:
    frames = tts_eval.load(runs)
    problems = frames.problems.assign(flops=flops_by_problem(frames))
    summed = problems.groupby("run")["flops"].sum()
    expected = frames.runs["flops_per_problem.total"] * frames.runs["num_problems"]
    assert summed[expected.index].tolist() == pytest.approx(expected.tolist())
    tokens = problems["num_prompt_tokens"] + problems["num_generated_tokens"]
    assert (problems["flops"] > 0).all()
    assert problems["flops"].corr(tokens) > 0.5  # who generated more took more


def test_every_figure_is_a_png_and_a_pdf(report: Path) -> None:
    files = {file.name: file for file in (report / "figures").iterdir()}
    for name in ("frontiers", "deadlines", "scaling", "critical_path"):
        assert files[f"{name}.png"].read_bytes().startswith(b"\x89PNG")
        assert files[f"{name}.pdf"].read_bytes().startswith(b"%PDF")


async def test_runs_of_other_problems_stand_in_a_group_of_their_own(tmp_path: Path) -> None:
    await sums_run(tmp_path / "six", model="big", n=2)
    await sums_run(tmp_path / "four", model="big", n=2, num_problems=4)
    write_report([tmp_path], folder=tmp_path / "report", tracking=NoTracking())
    table = pd.read_csv(tmp_path / "report" / "frontier.csv")
    assert table["group"].nunique() == 2
    assert {part.name for part in (tmp_path / "report" / "figures").iterdir()} == {"1", "2"}


async def test_runs_with_synthetic_acceptance_are_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await sums_run(tmp_path / "real", model="big", n=2)
    synthetic = await sums_run(tmp_path / "synthetic", model="big", n=4)
    rewrite(synthetic / "manifest.json", '"is_synthetic": false', '"is_synthetic": true')
    write_report([tmp_path], folder=tmp_path / "report", tracking=NoTracking())
    table = pd.read_csv(tmp_path / "report" / "frontier.csv")
    assert all("strategy.n=2" in cell for cell in table["cell"])
    assert "left out, without accuracies: sums (6 problems" in capsys.readouterr().err
    assert "synthetic acceptance" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="no run there has an accuracy"):
        write_report([tmp_path / "synthetic"], folder=tmp_path / "none", tracking=NoTracking())
    assert not (tmp_path / "none").exists()


async def test_what_engines_chose_by_themselves_and_not_alike_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, runner in ((2, "v1"), (4, "v2")):
        file = await sums_run(tmp_path / runner, model="big", n=n) / "manifest.json"
        manifest = json.loads(file.read_text(encoding="utf-8"))
        manifest["sessions"][0]["engine"]["settings"] |= {"model_runner": runner, "cudagraph_mode": "NONE"}
        file.write_text(json.dumps(manifest), encoding="utf-8")
    write_report([tmp_path], folder=tmp_path / "report", tracking=NoTracking())

    said = "the engines chose model_runner by themselves, and not alike: v1 in 1 runs, v2 in 1 runs"
    printed = capsys.readouterr().out
    assert said in printed
    assert "cudagraph_mode" not in printed
    assert said in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


async def test_runs_of_another_schema_version_are_refused(tmp_path: Path) -> None:
    await sums_run(tmp_path / "new", model="big", n=2)
    old = await sums_run(tmp_path / "old", model="big", n=4)
    rewrite(old / "summary.json", f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 1')
    with pytest.raises(ValueError, match="was written under schema 1; only"):
        write_report([tmp_path], folder=tmp_path / "report", tracking=NoTracking())
    assert not (tmp_path / "report").exists()


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


async def test_a_replayed_run_stands_beside_the_measured_ones_and_has_no_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await sums_run(tmp_path, model="big", n=4)
    await replayed_vote(tmp_path / "replay", run, n=3)
    write_report([tmp_path], folder=tmp_path / "report", tracking=NoTracking())
    table = pd.read_csv(tmp_path / "report" / "frontier.csv").query("provenance == 'replayed'")
    costs = table.set_index("axis")["cost"]
    assert costs["tokens_per_problem"] > 0
    assert math.isnan(costs["tta_s_p50"])
    assert not table.set_index("axis")["on_frontier"]["tta_s_p50"]
    assert "2 cells, measured and replayed" in capsys.readouterr().out


def test_at_stated_rates_the_choice_is_told(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = Rates(value_per_correct_usd=0.5, usd_per_wait_s=0.001)
    write_report([runs], folder=tmp_path, tracking=NoTracking(), rates=rates)
    table = pd.read_csv(tmp_path / "decisions.csv")
    expected = utility(Cells.of(tts_eval.load(runs)), value_per_correct_usd=0.5, usd_per_wait_s=0.001)
    assert table["cell"].tolist() == expected.index.tolist()
    assert table["utility_usd"].tolist() == pytest.approx(expected["utility_usd"].tolist())
    assert "at $0.5 a right answer and $0.001 a second: model=big" in capsys.readouterr().out
