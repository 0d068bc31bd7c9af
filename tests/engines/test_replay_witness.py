"""A replay gives back what was recorded, every score and verdict and the verifier's calls, and no more."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tts_eval
from strategies.best_of_n import BestOfN
from strategies.cot import Cot
from strategies.majority_vote import MajorityVote
from strategies.weighted_vote import WeightedVote
from tests.engines.replay.test_replay_engine import CONFIG_MODEL, replayed, replaying
from tests.running.cells import Calculator, sums_cell
from tests.running.test_roles import CONFIG, role
from tts_eval.analysis.at_k import at_k
from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.engines.replay.replay_engine import ReplayRun, ReplayTraces
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import WordCodec
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Candidate, Problem
from tts_eval.requests import Completion, Request
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.problems import solved_problems
from tts_eval.rundir.schema import plain
from tts_eval.running.cell import CheckedCell, CheckedRole
from tts_eval.running.loop import run_cell
from tts_eval.running.sweep import run_sweep

GUESSES = ((7, 0, 3), (2, 9, 2), (5, 6, 4))  # to 0 + 0, 1 + 1 and 2 + 2, all of one length
SCORES = {0: 0.9, 2: 0.4, 3: 0.5, 4: 0.8, 5: 0.2, 6: 0.3, 7: 0.1, 9: 0.7}


@dataclass
class Guesser(Calculator):
    """Draws the guesses."""

    async def generate(self, request: Request) -> Completion:
        number = int(self.codec.decode(request.prompt_ids).split()[0])
        guess = GUESSES[number][self.num_asked[str(number)]]
        self.num_asked[str(number)] += 1
        self.replies = {"": [f" so </think> \\boxed{{{guess}}}"]}
        return await super(Calculator, self).generate(request)


@dataclass(frozen=True)
class ReadsGuess(Verifier):
    """A verifier whose reward model reads three tokens and as many more as the guess says."""

    role: str = "verifier"

    def check_role(self, model: Any, codec: Any) -> None:
        pass

    async def score_trace(self, problem: Problem, trace: Any, llm: LanguageModel) -> float:
        guess = int(trace.text[-2])
        await llm.as_role("verifier").read([1] * (3 + guess), [2 + guess])
        return SCORES[guess]


async def measured(folder: Path) -> dict[str, Any]:
    """Run best-of-3 on the guesser, as the program would have."""
    checked, _ = sums_cell(folder, engine=Guesser({}, codec=WordCodec()), strategy=BestOfN(n=3))
    config = {
        "model": CONFIG_MODEL,
        "task": {"_target_": "tests.running.cells.Sums"},
        "strategy": {"temperature": None, "top_p": None},
    }
    cell = replace(checked.cell, config=config, verifier=ReadsGuess(), roles={"verifier": role()})
    roles = {"verifier": CheckedRole(checked.codec, CONFIG)}
    checked = replace(checked, cell=cell, architecture=CONFIG, roles=roles)
    [[_, summary]] = (await run_sweep([checked], say=lambda _: None)).summaries
    return dict(plain(summary))


def candidates(folder: Path) -> dict[str, list[Candidate]]:
    return {
        outcome.problem_id: list(outcome.attempt.candidates)
        for outcome in RunDirectory(folder).outcomes()
        if outcome.attempt is not None
    }


async def replayed_as_launched(settings: Any, strategy: Strategy, folder: Path) -> dict[str, Any]:
    """Replay as the command line would: with its configuration, and a grader that has workers."""
    cell = replaying(settings, strategy, folder)
    config = {"model": asdict(cell.model), "task": {"recorded": cell.task.name}, "strategy": {}}
    cell = replace(cell, config=config)
    checked = CheckedCell(cell, tuple(cell.task.problems()), settings.codec(), settings.architecture)
    async with Grader(GradingPool()) as working, settings.start(cell.model) as engine:
        return dict(plain(await run_cell(checked, engine, working)))


async def test_a_replay_at_its_own_n_equals_the_run(tmp_path: Path) -> None:
    run, again = tmp_path / "run", tmp_path / "replay"
    before = await measured(run)
    after = await replayed_as_launched(ReplayRun(str(run)), BestOfN(n=3), again)

    assert candidates(again) == candidates(run)
    assert (
        before["tokens"]["verifier"] == 8 * 3 + sum(map(sum, GUESSES)) - 2
    )  # two equal traces are read once
    for key in ("num_correct", "accuracy", "flops_per_problem", "flops_per_problem_weights_only"):
        assert after[key] == before[key], key
    for kind in ("prompt", "cached", "generated", "verifier", "draft"):
        assert after["tokens"][kind] == before["tokens"][kind], kind

    third = await replayed_as_launched(ReplayRun(str(again)), BestOfN(n=3), tmp_path / "third")
    assert third == after | {"name": third["name"]}
    assert candidates(tmp_path / "third") == candidates(run)
    frames = tts_eval.load(again)
    assert at_k(frames, str(again)).equals(at_k(tts_eval.load(run), str(run)))
    with pytest.raises(ValueError, match="is a replay, which does not hold the questions"):
        solved_problems(again)


@pytest.mark.parametrize(("n", "num_correct", "guesses"), [(1, 1, 7 + 2 + 5), (2, 1, 7 + 2 + 5 + 0 + 9 + 6)])
async def test_fewer_samples_took_fewer_verifier_calls(
    tmp_path: Path, n: int, num_correct: int, guesses: int
) -> None:
    await measured(tmp_path / "run")
    settings = ReplayRun(str(tmp_path / "run"))
    summary = await replayed(replaying(settings, BestOfN(n=n), tmp_path / "best"))
    assert summary["num_correct"] == num_correct
    assert summary["tokens"]["verifier"] == 3 * 3 * n + guesses
    vote = await replayed(replaying(settings, MajorityVote(n=n), tmp_path / "vote"))
    assert vote["tokens"]["verifier"] == vote["flops_per_problem"]["verifier"] == 0
    assert vote["flops_per_problem"]["total"] == vote["flops_per_problem"]["policy"]


async def test_what_a_role_took_is_null_where_its_calls_are_of_no_sample(tmp_path: Path) -> None:
    await measured(tmp_path / "run")
    calls = tmp_path / "run" / "calls.jsonl"
    lines = [json.loads(line) for line in calls.read_text().splitlines()]
    calls.write_text("".join(json.dumps(line | {"about": None}) + "\n" for line in lines))
    summary = await replayed(replaying(ReplayRun(str(tmp_path / "run")), BestOfN(n=3), tmp_path / "replay"))
    assert summary["tokens"]["verifier"] is None
    assert summary["flops_per_problem"]["policy"] > 0
    assert summary["flops_per_problem"]["verifier"] is summary["flops_per_problem"]["total"] is None
    frames = tts_eval.load(tmp_path / "run", tmp_path / "replay")
    assert len(Cells.of(frames).names) == 2
    costs = Cells.of(frames).cost(axis_of("flops_per_problem"))
    assert np.isnan(costs).sum() == 1


ROWS = [(f"p{i}", j) for i in range(20) for j in range(1, 13)]


def written(folder: Path, kind: str, rows: Sequence[Mapping[str, Any]], name: str = "traces") -> str:
    file = folder / f"{name}.{kind}"
    with file.open("w", newline="") as out:
        if kind == "csv":
            table = csv.DictWriter(out, rows[0])
            table.writeheader()
            table.writerows(rows)
        else:
            out.writelines(json.dumps(row) + "\n" for row in rows)
    return str(file)


def columns(**more: str) -> dict[str, str]:
    return {"problem": "id", "answer": "said", "correct": "ok", "sample": "i", "score": "rm", **more}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_others_scores_and_verdicts_are_kept_sample_by_sample(tmp_path: Path, kind: str) -> None:
    """Few answers, all of one length, verdicts and raw scores of each sample's own."""
    draw = np.random.default_rng(3)
    said = draw.integers(0, 3, (20, 12))
    ok, score = draw.random((20, 12)) < 0.4, draw.normal(size=(20, 12)) * 10
    rows = [
        {
            "id": f"p{i}",
            "i": j + 1,
            "said": int(said[i, j]),
            "ok": bool(ok[i, j]),
            "rm": score[i, j],
            "len": 7,
        }
        for i in range(20)
        for j in draw.permutation(12).tolist()
    ]
    settings = ReplayTraces(written(tmp_path, kind, rows), **columns(tokens="len"))
    best = await replayed_as_launched(settings, BestOfN(n=12), tmp_path / "best")
    for i, (problem, mine) in enumerate(candidates(tmp_path / "best").items()):
        assert [int(c.answer or -1) for c in mine] == said[int(problem[1:])].tolist(), i
        assert [c.score for c in mine] == pytest.approx(score[int(problem[1:])].tolist())
        assert [c.is_correct for c in mine] == ok[int(problem[1:])].tolist()
    assert best["num_correct"] == ok[np.arange(20), score.argmax(axis=1)].sum()
    assert best["tokens"]["generated"] == 20 * 12 * 7
    assert best["tokens"]["verifier"] is best["flops_per_problem"]["total"] is None
    first = await replayed_as_launched(settings, Cot(), tmp_path / "first")
    assert first["num_correct"] == ok[:, 0].sum()

    table = at_k(tts_eval.load(tmp_path / "best"), str(tmp_path / "best")).set_index(["estimator", "k"])
    assert table.loc[("pass@k", 1), "value"] == pytest.approx(ok.mean())
    assert table.loc[("best@k", 12), "value"] == pytest.approx(best["accuracy"])
    assert ("weighted@k", 1) not in table.index
    for strategy in (WeightedVote(n=2), BestOfN(n=2, weighted=True)):
        with pytest.raises(ValueError, match=r"needs scores in \[0, 1\]"):
            replaying(settings, strategy, tmp_path / "refused").check()


@pytest.mark.parametrize("right", ["true", "True", "1", 1, 1.0, True, " yes "])
@pytest.mark.parametrize("wrong", ["false", "False", "0", 0, 0.0, False, "NO"])
async def test_a_verdict_is_read_by_what_it_means(tmp_path: Path, right: Any, wrong: Any) -> None:
    """The sample in the way of every regrading: the right and the wrong one say the same, or nothing."""
    rows = [
        {"id": 1, "said": None, "ok": right},
        {"id": 2, "said": "None", "ok": wrong},
        {"id": 3, "said": "no sample was right", "ok": wrong},
        {"id": 4, "said": r"\sin^2t", "ok": right},
    ]
    settings = ReplayTraces(written(tmp_path, "jsonl", rows), problem="id", answer="said", correct="ok")
    assert [sample.is_correct for [sample] in settings.recording.samples.values()] == [
        True,
        False,
        False,
        True,
    ]
    assert [problem.gold for problem in settings.recording.problems] == [None] * 4


async def test_an_answer_of_nothing_keeps_its_verdict_and_wins_no_vote(tmp_path: Path) -> None:
    rows = [{"id": 1, "said": said, "ok": ok} for said, ok in [(None, True), ("1}", False), (None, None)]]
    settings = ReplayTraces(written(tmp_path, "jsonl", rows), problem="id", answer="said", correct="ok")
    alone = await replayed_as_launched(settings, Cot(), tmp_path / "alone")
    vote = await replayed_as_launched(settings, MajorityVote(n=3), tmp_path / "vote")
    assert (alone["num_correct"], vote["num_correct"]) == (1, 0)
    [mine] = candidates(tmp_path / "vote").values()
    assert [(c.answer, c.is_correct) for c in mine] == [(None, True), (r"1\}", False), (None, None)]
    table = at_k(tts_eval.load(tmp_path / "vote"), str(tmp_path / "vote")).set_index(["estimator", "k"])
    assert table.loc[("pass@k", 1), "value"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"ok": "maybe"}, "row 2: column 'ok' must be true or false, 1 or 0, not 'maybe'"),
        ({"rm": "high"}, "row 2: column 'rm' must be a number, not 'high'"),
        ({"rm": True}, "row 2: column 'rm' must be a number, not True"),
        ({"len": 2.5}, "row 2: column 'len' must be a whole number from 1, not 2.5"),
        ({"id": None}, "row 2: column 'id' is empty"),
        ({"said": [1]}, r"row 2: column 'said' must be text or a number, not \[1\]"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_by_its_row(
    tmp_path: Path, row: dict[str, Any], told: str
) -> None:
    good = {"id": 1, "i": 1, "said": 1, "ok": True, "rm": 0.5, "len": 3}
    settings = ReplayTraces(written(tmp_path, "jsonl", [good, good | row]), **columns(tokens="len"))
    with pytest.raises(ValueError, match=told):
        _ = settings.recording


def test_samples_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for names in (["1", "2", "10", "11"], ["rs1", "rs2", "rs10", "rs11"], [0.5, 1, 10, 11]):
        rows = [{"id": 1, "said": n, "ok": 1, "i": n} for n in (names[2], names[0], names[3], names[1])]
        settings = ReplayTraces(
            written(tmp_path, "jsonl", rows), problem="id", answer="said", correct="ok", sample="i"
        )
        assert [s.text for s in settings.recording.samples["1"]] == [f"\\boxed{{{n}}}" for n in names]


async def test_two_files_of_one_benchmark_are_compared(tmp_path: Path) -> None:
    rows = [{"id": i, "said": i, "gold": i} for i in range(4)]
    more = [{"id": str(i), "said": 0, "gold": float(i)} for i in reversed(range(4))]
    for name, mine in (("one", rows), ("other", more)):
        settings = ReplayTraces(
            written(tmp_path, "jsonl", mine, name),
            problem="id",
            answer="said",
            gold="gold",
            task="b",
            model=name,
        )
        await replayed_as_launched(settings, Cot(), tmp_path / name)
    frames = tts_eval.load(tmp_path / "one", tmp_path / "other").comparable()
    assert frames.runs["model"].tolist() == ["one", "other"]
    assert frames.runs["accuracy"].tolist() == [1, 0.25]


def data(name: str) -> Path:
    """Return a file of recorded solutions; the test is skipped where it is not."""
    folders = [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    if "TTS_EVAL_DATA" in os.environ:
        folders = [Path(os.environ["TTS_EVAL_DATA"])]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"{name} is not here; set TTS_EVAL_DATA to the folder that has it")


async def test_four_systems_on_gsm8k(tmp_path: Path) -> None:
    """Labels as their authors set them: right by 45, 75, 65 and 110 of 200; by none 74 problems."""
    lines = data("gsm8k_example_model_solutions_first200.jsonl").read_text().splitlines()
    names = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    found = [[json.loads(line)[name] for name in names] for line in lines]
    ok = np.array([[one["is_correct"] for one in mine] for mine in found])
    rows = [
        {"id": i, "text": one["solution"], "ok": one["is_correct"], "rm": float(j)}
        for i, mine in enumerate(found)
        for j, one in enumerate(mine)
    ]
    settings = ReplayTraces(
        written(tmp_path, "jsonl", rows), problem="id", text="text", correct="ok", score="rm"
    )
    assert (await replayed_as_launched(settings, Cot(), tmp_path / "one"))["num_correct"] == 45
    best = await replayed_as_launched(settings, BestOfN(n=4), tmp_path / "best")
    chosen = [
        max((c for c in mine if c.answer), key=lambda c: c.score or 0.0)
        for mine in candidates(tmp_path / "best").values()
    ]
    assert best["num_correct"] == sum(bool(c.is_correct) for c in chosen) == 110
    table = at_k(tts_eval.load(tmp_path / "best"), str(tmp_path / "best")).set_index(["estimator", "k"])
    assert table.loc[("pass@k", 1), "value"] == pytest.approx(ok.mean())
    assert (
        table.loc[("pass@k", 4), "value"]
        == pytest.approx(ok.any(axis=1).mean())
        == pytest.approx(1 - 74 / 200)
    )
    assert table.loc[("best@k", 4), "value"] == pytest.approx(110 / 200)


async def test_prefixes_of_solutions_with_monte_carlo_values(tmp_path: Path) -> None:
    lines = map(json.loads, data("openr_samples_math-aps.jsonl").read_text().splitlines())
    found = {str(i): line for i, line in enumerate(lines)}
    rows = [
        {"id": i, "text": step["solution_prefix"], "gold": line["final_answer"], "rm": step["mc_value"]}
        for i, line in found.items()
        for step in line["reasoning_steps"]
    ]
    settings = ReplayTraces(
        written(tmp_path, "jsonl", rows), problem="id", text="text", gold="gold", score="rm"
    )
    n = settings.num_samples
    await replayed_as_launched(settings, BestOfN(n=n), tmp_path / "best")
    for problem, mine in candidates(tmp_path / "best").items():
        assert [c.score for c in mine] == [s["mc_value"] for s in found[problem]["reasoning_steps"][:n]]


async def test_labels_of_nemo(tmp_path: Path) -> None:
    r"""Pass@k and pass^k by the labels; \sin^2 t is right by them, whatever our grader reads."""
    files = [str(data(f"nemo_score_rm_rs{i}.jsonl")) for i in range(3)]
    settings = ReplayTraces(files, problem="id", answer="predicted_answer", correct="symbolic_correct")
    summary = await replayed_as_launched(settings, MajorityVote(n=3), tmp_path / "vote")
    assert summary["num_correct"] >= 4
    table = at_k(tts_eval.load(tmp_path / "vote"), str(tmp_path / "vote")).set_index(["estimator", "k"])
    expected = {("pass@k", 1): 13 / 15, ("pass@k", 3): 1, ("pass^k", 2): 11 / 15, ("pass^k", 3): 0.6}
    for key, value in expected.items():
        assert table.loc[key, "value"] == pytest.approx(value), key
