"""Finished runs as frames: what is in them, and what is never mixed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tts_eval
from strategies.majority_vote import MajorityVote
from tests.engines.replay.test_replay_engine import Guesser, recorded_vote, replayed, replaying
from tests.running.cells import sums_cell
from tts_eval.analysis.anytime import anytime
from tts_eval.analysis.at_k import at_k
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.frontier import frontier
from tts_eval.engines.replay.replay_engine import ReplayRun
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import WordCodec
from tts_eval.running.loop import run_cell


async def test_three_runs_of_two_cells(tmp_path: Path) -> None:
    for seed in (0, 1):
        await run_sums(tmp_path / f"a,seed={seed}", seed=seed, config={"strategy": "a", "seed": seed})
    await run_sums(tmp_path / "b", config={"strategy": "b"})
    frames = tts_eval.load(tmp_path)
    assert frames.runs["cell"].tolist() == ["a", "a", "b"]
    assert len(frames.problems) == len(frames.calls) == len(frames.candidates) == 9
    assert frames.runs["accuracy"].tolist() == pytest.approx([2 / 3] * 3)
    assert frames.runs["tokens.generated"].tolist() == [15] * 3
    of_one = frames.problems[frames.problems["run"] == str(tmp_path / "b")]
    assert of_one["usd"].sum() == pytest.approx(frames.runs.loc[str(tmp_path / "b"), "usd_total"])
    assert Cells.of(frames).num_repeats == (2, 1)


async def run_sums(folder: Path, *, seed: int = 0, config: dict[str, Any], num_problems: int = 3) -> None:
    checked, engine = sums_cell(folder, num_problems=num_problems)
    checked = replace(checked, cell=replace(checked.cell, seed=seed, config=config))
    await run_cell(checked, engine, Grader(GradingPool()))


async def test_cells_of_one_name_and_other_settings_are_told_apart(tmp_path: Path) -> None:
    for folder, max_tokens in (("one", 10), ("other", 20)):
        config = {"strategy": {"max_tokens": max_tokens}}
        await run_sums(tmp_path / folder / "cot", config=config)
    assert tts_eval.load(tmp_path).runs["cell"].tolist() == ["cot", "cot #2"]


async def test_runs_of_other_problems_are_never_mixed(tmp_path: Path) -> None:
    await run_sums(tmp_path / "three", config={})
    await run_sums(tmp_path / "four", config={}, num_problems=4)
    frames = tts_eval.load(tmp_path)
    assert [len(group.runs) for group in frames.groups().values()] == [1, 1]
    with pytest.raises(ValueError, match=r"these runs cannot be compared: sums \(4 problems"):
        Cells.of(frames)


async def test_runs_under_other_loads_are_never_mixed(tmp_path: Path) -> None:
    for k in (2, 8):
        await run_sums(tmp_path / str(k), config={"load": {"_target_": "x.Concurrent", "k": k}})
    assert [name.rpartition(", ")[2] for name in tts_eval.load(tmp_path).groups()] == [
        "load concurrent k=2",
        "load concurrent k=8",
    ]


async def test_synthetic_acceptance_has_no_accuracy(tmp_path: Path) -> None:
    await run_sums(tmp_path / "real", config={})
    await run_sums(tmp_path / "synthetic", config={})
    file = tmp_path / "synthetic" / "manifest.json"
    file.write_text(file.read_text().replace('"is_synthetic": false', '"is_synthetic": true'))
    real, synthetic = tts_eval.load(tmp_path).groups().values()
    assert Cells.of(real).accuracy == pytest.approx([2 / 3])
    assert synthetic.problems["is_correct"].isna().all()
    with pytest.raises(ValueError, match="times, but no accuracy"):
        Cells.of(synthetic)


async def test_another_schema_is_refused(tmp_path: Path) -> None:
    await run_sums(tmp_path, config={})
    summary = json.loads((tmp_path / "summary.json").read_text())
    (tmp_path / "summary.json").write_text(json.dumps({**summary, "schema_version": 1}))
    with pytest.raises(ValueError, match="was written under schema 1; only"):
        tts_eval.load(tmp_path)


async def test_a_run_that_is_not_finished_is_left_out_with_a_warning(tmp_path: Path) -> None:
    await run_sums(tmp_path / "done", config={})
    await run_sums(tmp_path / "cut", config={})
    (tmp_path / "cut" / "summary.json").unlink()
    with pytest.warns(UserWarning, match="left out: .*cut"):
        assert len(tts_eval.load(tmp_path).runs) == 1


def test_no_run_no_frames(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run is there"):
        tts_eval.load(tmp_path)


async def test_a_replay_stands_beside_what_was_measured_but_has_no_times(tmp_path: Path) -> None:
    run = await recorded_vote(tmp_path / "measured")
    await replayed(replaying(ReplayRun(str(run)), MajorityVote(n=3), tmp_path / "replayed"))
    frames = tts_eval.load(tmp_path)
    assert len(frames.groups()) == 1
    cells = Cells.of(frames)
    assert cells.accuracy.tolist() == [0.5, 1.0]  # a vote of four ties, one of three does not
    tokens: Any = frontier(cells, "tokens_per_problem")
    seconds: Any = frontier(cells, "tta_s_p50")
    assert tokens["cost"].tolist() == [21.5, 15.5]
    assert tokens["provenance"].tolist() == ["measured", "replayed"]
    assert seconds["cost"].isna().tolist() == [False, True]
    assert set(anytime(cells)["cell"]) == {"measured"}


async def test_estimators_at_every_k_of_one_run(tmp_path: Path) -> None:
    """0 + 0: wrong, right, right, wrong; 1 + 1: right, right, right, wrong; wrong ones are alike."""
    run = await recorded_vote(tmp_path / "run")
    table = at_k(tts_eval.load(run), str(run)).set_index(["estimator", "k"])["value"]
    assert table["pass@k"].tolist() == pytest.approx([(2 / 4 + 3 / 4) / 2, (5 / 6 + 1) / 2, 1])
    assert table["pass^k"].tolist() == pytest.approx([0.625, (1 / 6 + 3 / 6) / 2, 0])
    # of two: 0 + 0 both right in 1 of 6, a tie in 4; 1 + 1 both right in 3 of 6, a tie in 3
    assert table["maj@k"].tolist() == pytest.approx([0.625, (3 / 6 + 4.5 / 6) / 2, (0.5 + 1) / 2])


async def test_accuracy_at_a_deadline_follows_the_interims(tmp_path: Path) -> None:
    """The first guess of 0 + 0 is wrong, so its interim answer is until the others are in."""
    checked, engine = sums_cell(
        tmp_path, engine=Guesser({}, codec=WordCodec()), strategy=MajorityVote(n=3), num_problems=2
    )
    await run_cell(checked, engine, Grader(GradingPool()))
    lines = [json.loads(line) for line in (tmp_path / "problems.jsonl").read_text().splitlines()]
    for line in lines:
        line["spend"] |= {"arrived_s": 0.0, "finished_s": 3.5}
        for second, interim in enumerate(line["interims"], start=1):
            interim["at_s"] = float(second)
    (tmp_path / "problems.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    table = anytime(Cells.of(tts_eval.load(tmp_path)), deadlines_s=[0.5, 1.5, 2.5, 3.2])
    assert table["accuracy"].tolist() == [0, 0.5, 0.5, 1]  # 1, then the tie of 1 and 0, then 0


async def test_runs_made_with_something_else_are_no_repeats(tmp_path: Path) -> None:
    for number in range(4):
        await run_sums(tmp_path / str(number) / "cot", seed=number, config={"seed": number})
    for number, (path, value) in enumerate([("versions", {"vllm": "0.1"}), ("git_commit", "abc")]):
        file = tmp_path / str(number) / "cot" / "manifest.json"
        manifest = json.loads(file.read_text())
        manifest["sessions"][-1][path] = value
        file.write_text(json.dumps(manifest))
    names = tts_eval.load(tmp_path).runs["cell"].tolist()
    assert len(set(names)) == 3
    assert names[2] == names[3]
    assert "vllm 0.1" in names[0]
    assert "commit abc" in names[1]
