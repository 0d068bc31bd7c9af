"""Recorded samples re-scored without a model: a run of ours, and the samples of others."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from strategies.adaptive_vote import AdaptiveVote
from strategies.best_of_n import BestOfN
from strategies.budgeted_cot import BudgetedCot
from strategies.majority_vote import MajorityVote
from tests.running.cells import HARDWARE, Calculator, sums_cell
from tts_eval.engines.replay.replay_engine import ReplayRun, ReplayTraces
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import MODEL, WordCodec
from tts_eval.protocols import Strategy
from tts_eval.records import Problem
from tts_eval.requests import Completion, Request
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.schema import plain
from tts_eval.running.cell import Cell, CheckedCell
from tts_eval.running.loads import Sequential
from tts_eval.running.loop import run_cell
from tts_eval.tracking.none import NoTracking

CONFIG_MODEL = {
    "name": MODEL.name,
    "path": MODEL.path,
    "thinking_start": MODEL.thinking_start,
    "thinking_end": MODEL.thinking_end,
    "starts_thinking": True,
}
SUMS = {"_target_": "tests.running.cells.Sums", "num_problems": 2}


@dataclass
class Guesser(Calculator):
    """Answers 0 + 0 with 1, 0, 0, 1, ... and 1 + 1 with 2, 2, 2, 5, ...; a wrong guess takes a token more."""

    guesses: tuple[tuple[int, ...], ...] = ((1, 0, 0, 1), (2, 2, 2, 5))

    async def generate(self, request: Request) -> Completion:
        number = int(self.codec.decode(request.prompt_ids).split()[0])
        replies = [
            f" let me{' not' if guess != 2 * number else ''} see </think> \\boxed{{{guess}}}"
            for guess in self.guesses[number]
        ]
        taken = self.num_asked[str(number)]
        self.num_asked[str(number)] += 1
        self.replies = {"": [replies[taken]]}
        return await super(Calculator, self).generate(request)


def grader() -> Grader:
    """Answers here are numbers, which need no worker."""
    return Grader(GradingPool())


async def recorded_vote(folder: Path) -> Path:
    """Run a vote of four on the guesser, as the program would have."""
    checked, _ = sums_cell(
        folder, engine=Guesser({}, codec=WordCodec()), strategy=MajorityVote(n=4), num_problems=2
    )
    config = {"model": CONFIG_MODEL, "strategy": {"temperature": None, "top_p": None}, "task": SUMS}
    checked = replace(checked, cell=replace(checked.cell, config=config))
    await run_cell(checked, checked.cell.engine.engine, grader())  # type: ignore[attr-defined]
    return folder


def replaying(settings: Any, strategy: Strategy, folder: Path) -> Cell:
    """Return the cell that the command line makes of `engine=replay` and `strategy`."""
    return Cell(
        name="replay",
        group="",
        labels={"strategy": type(strategy).__name__, "verifier": "none", "load": "concurrent"},
        engine=settings,
        strategy=strategy,
        load=Sequential(),
        hardware=HARDWARE,
        tracking=NoTracking(),
        seed=0,
        directory=folder,
        config={},
        **settings.parts(),
    )


async def replayed(cell: Cell) -> dict[str, Any]:
    checked = CheckedCell(cell, tuple(cell.task.problems()), cell.engine.codec(), cell.engine.architecture)  # type: ignore[attr-defined]
    async with cell.engine.start(cell.model) as engine:
        return dict(plain(await run_cell(checked, engine, grader())))


@pytest.mark.parametrize(
    ("n", "num_correct", "num_tokens"),
    [
        (1, 1, 5 + 6),  # 1 for 0 + 0, 2 for 1 + 1
        (2, 1, 10 + 11),  # a tie of 1 and 0 goes to the one sampled first
        (3, 2, 15 + 16),  # 0 wins two to one
        (4, 1, 21 + 22),  # the tie again
    ],
)
async def test_a_vote_of_four_is_a_vote_of_every_fewer(
    tmp_path: Path, n: int, num_correct: int, num_tokens: int
) -> None:
    run = await recorded_vote(tmp_path / "run")
    summary = await replayed(replaying(ReplayRun(str(run)), MajorityVote(n=n), tmp_path / "replay"))
    assert (summary["provenance"], summary["model"], summary["task"]) == ("replayed", "scripted", "sums")
    assert summary["num_correct"] == num_correct
    assert summary["tokens"]["generated"] == num_tokens
    assert summary["tokens"]["prompt"] == 2 * 4 * n


async def test_a_replay_has_no_times_and_no_dollars(tmp_path: Path) -> None:
    run = await recorded_vote(tmp_path / "run")
    summary = await replayed(replaying(ReplayRun(str(run)), MajorityVote(n=3), tmp_path / "replay"))
    measured = json.loads((run / "summary.json").read_text())
    assert summary.keys() == measured.keys()
    for key in ("tta_s", "ttft_s", "wall_s", "startup_s", "usd_total", "usd_per_correct", "num_gpus", "load"):
        assert summary[key] is None, key
    assert summary["tokens"]["thinking"] is None
    files = [tmp_path / "replay" / name for name in ("problems.jsonl", "calls.jsonl")]
    for line in (json.loads(line) for file in files for line in file.read_text().splitlines()):
        assert [key for key, value in _leaves(line) if key.endswith("_s") and value is not None] == []
    assert not (tmp_path / "replay" / "gauges.jsonl").exists()


def _leaves(document: Any, key: str = "") -> list[tuple[str, Any]]:
    if isinstance(document, Mapping):
        return [leaf for name, value in document.items() for leaf in _leaves(value, name)]
    if isinstance(document, list):
        return [leaf for value in document for leaf in _leaves(value, key)]
    return [(key, document)]


async def test_the_problems_are_those_of_the_run(tmp_path: Path) -> None:
    """So that replayed and measured cells stand on the same frontier."""
    run = await recorded_vote(tmp_path / "run")
    await replayed(replaying(ReplayRun(str(run)), MajorityVote(n=3), tmp_path / "replay"))
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (run, tmp_path / "replay")]
    assert manifests[0]["problems"] == manifests[1]["problems"]


async def test_an_adaptive_vote_stops_where_it_would_have(tmp_path: Path) -> None:
    """0 + 0: a window of two is first 1, 0, then 0, 1, never unanimous; 1 + 1: the first two agree."""
    run = await recorded_vote(tmp_path / "run")
    strategy = AdaptiveVote(criterion="esc", window=2, max_n=4)
    await replayed(replaying(ReplayRun(str(run)), strategy, tmp_path / "replay"))
    drawn = {
        outcome.problem_id: len(outcome.attempt.candidates)
        for outcome in RunDirectory(tmp_path / "replay").outcomes()
        if outcome.attempt is not None
    }
    assert drawn == {"sum-0": 4, "sum-1": 2}


def refusal(settings: Any, strategy: Strategy, folder: Path) -> str:
    with pytest.raises(ValueError) as refused:
        replaying(settings, strategy, folder).check()
    return str(refused.value)


def run_of(tmp_path: Path) -> str:
    return str(asyncio.run(recorded_vote(tmp_path / "run")))


def test_what_was_not_recorded_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings, folder = ReplayRun(run_of(tmp_path)), tmp_path / "replay"
    assert "may ask for 5 samples a problem; 4 were recorded" in refusal(settings, MajorityVote(n=5), folder)
    hot = refusal(settings, MajorityVote(n=2, temperature=0.7), folder)
    assert "temperature=0.0" in hot
    assert "temperature=0.7" in hot
    cut = refusal(settings, MajorityVote(n=2, max_tokens=3), folder)
    assert "a sample of 6 tokens does not tell what max_tokens=3 would give" in cut
    search = refusal(settings, BudgetedCot(max_thinking_tokens=3), folder)
    assert search.startswith("strategy BudgetedCot cannot be replayed: ")
    assert "verifier" in refusal(settings, BestOfN(n=2), folder)
    assert not folder.exists()


def test_a_trace_that_would_grow_on_is_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Twice(Strategy):
        async def solve(self, problem: Problem, llm: Any, verifier: Any) -> Any:
            [trace] = await llm.extend(llm.start(problem))
            await llm.extend(trace + " Wait")

    told = refusal(ReplayRun(run_of(tmp_path)), Twice(), tmp_path / "replay")
    assert told == (
        "strategy Twice cannot be replayed: a recorded trace cannot grow on: a search is never replayed, "
        "run it at each budget"
    )


async def test_a_search_is_never_sub_sampled(tmp_path: Path) -> None:
    """Here a candidate whose tokens are not those of one call, as in a beam."""
    run = await recorded_vote(tmp_path / "run")
    lines = (run / "problems.jsonl").read_text().replace('"num_tokens":6', '"num_tokens":9', 1)
    (run / "problems.jsonl").write_text(lines)
    with pytest.raises(ValueError, match=r"no independent samples .* 4 from 4 calls"):
        _ = ReplayRun(str(run)).recording


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no finished run is there \(manifest.json is missing\)"):
        _ = ReplayRun(str(tmp_path)).recording


def nemo(**columns: str) -> ReplayTraces:
    """Three samples of five problems; the test is skipped where they are not."""
    folders = [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    if "TTS_EVAL_DATA" in os.environ:
        folders = [Path(os.environ["TTS_EVAL_DATA"])]
    files = [str(file) for folder in folders for file in sorted(folder.glob("nemo_score_rm_rs*.jsonl"))]
    if not files:
        pytest.skip("nemo_score_rm_rs*.jsonl is not here; set TTS_EVAL_DATA to the folder that has it")
    return ReplayTraces(files, problem="id", **columns)


@pytest.mark.parametrize(
    ("n", "right"),
    [
        (1, {"235", "1285", "1311", "2439"}),  # the first sample of 106 says 4 - 20i, not 220
        (2, {"235", "1285", "1311", "2439"}),  # one to one: the first sampled wins
        (3, {"106", "235", "1285", "1311", "2439"}),  # two of three say 220
    ],
)
async def test_votes_on_other_peoples_samples(tmp_path: Path, n: int, right: set[str]) -> None:
    r"""Samples of 106: 4 - 20i, 220, 220; of 235, 1285 and 2439 three times 44, 1 and 16.

    1311 is never won: the grader does not read \sin^2t.
    """
    settings = nemo(answer="predicted_answer", gold="expected_answer")
    cell = replaying(settings, MajorityVote(n=n), tmp_path)
    checked = CheckedCell(cell, tuple(cell.task.problems()), cell.engine.codec())  # type: ignore[attr-defined]
    async with Grader(GradingPool()) as working, cell.engine.start(cell.model) as engine:
        summary = plain(await run_cell(checked, engine, working))
    won = {o.problem_id for o in RunDirectory(tmp_path).outcomes() if o.is_correct}
    assert {name.rpartition("/")[2].removesuffix(".json") for name in won} == right
    assert summary["tokens"]["generated"] is None  # nobody counted them


def traces(folder: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    file = folder / "traces.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


ROWS = [
    {"q": "a", "i": 2, "said": "7", "right": "7", "orm": 0.4, "len": 30},
    {"q": "a", "i": 1, "said": "5", "right": "7", "orm": 0.3, "len": 20},
    {"q": "a", "i": 3, "said": "5", "right": "7", "orm": 0.2, "len": 10},
    {"q": "b", "i": 1, "said": "1", "right": "3", "orm": 0.9, "len": 5},
    {"q": "b", "i": 2, "said": "3", "right": "3", "orm": 0.8, "len": 5},
    {"q": "b", "i": 3, "said": "3", "right": "3", "orm": 0.7, "len": 5},
]
COLUMNS = {"problem": "q", "answer": "said", "gold": "right", "sample": "i", "score": "orm", "tokens": "len"}


@pytest.mark.parametrize(
    ("strategy", "right", "num_tokens"),
    [
        (MajorityVote(n=3), {"b"}, 75),  # a: 5 wins two to one; b: 3 does
        (BestOfN(n=1), set(), 25),  # a: 5 was sampled first; b: 1
        (BestOfN(n=2), {"a"}, 60),  # a: 0.4 beats 0.3; b: 0.9 is wrong
        (BestOfN(n=3), {"a"}, 75),
        (BestOfN(n=3, weighted=True), {"b"}, 75),  # a: 0.3 + 0.2 beats 0.4; b: 0.8 + 0.7 beats 0.9
    ],
)
async def test_scores_of_others_choose_as_ours_would(
    tmp_path: Path, strategy: Strategy, right: set[str], num_tokens: int
) -> None:
    settings = ReplayTraces(traces(tmp_path, ROWS), **COLUMNS)
    summary = await replayed(replaying(settings, strategy, tmp_path / "replay"))
    assert {o.problem_id for o in RunDirectory(tmp_path / "replay").outcomes() if o.is_correct} == right
    assert summary["tokens"]["generated"] == num_tokens


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"answer": "said", "text": "said", "gold": "right"}, "give one of engine.text and engine.answer"),
        ({"answer": "said"}, "give one of engine.gold and engine.correct"),
        ({"answer": "spoken", "gold": "right"}, "row 1: there is no column 'spoken'"),
        ({"answer": "said", "gold": "said"}, "problem a has several gold answers: 5, 7"),
        (
            {"answer": "said", "gold": "right", "score": "q"},
            "row 1: column 'q' must be a number, not 'a'",
        ),
        (
            {"answer": "said", "correct": "right"},
            "row 1: column 'right' must be true or false, 1 or 0, not '7'",
        ),
    ],
)
def test_columns_that_make_no_recording_are_told(tmp_path: Path, columns: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        _ = ReplayTraces(traces(tmp_path, ROWS), problem="q", **columns).recording
