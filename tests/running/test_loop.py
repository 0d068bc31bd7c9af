"""The run loop keeps every finished problem, once, whatever happens to the others."""

import asyncio
import errno
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats

from tests.running.cells import Calculator, sums_cell
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import WordCodec
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.requests import Completion, EngineDied, Request
from tts_eval.rundir import json_lines
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.json_lines import NotKept
from tts_eval.rundir.schema import plain
from tts_eval.running import loop
from tts_eval.running.loads import Poisson
from tts_eval.running.loop import run_cell


@pytest.fixture
def grader() -> Grader:
    return Grader(GradingPool())


async def test_three_sums_on_paper(tmp_path: Path, grader: Grader) -> None:
    """Sums 0, 1, 2: the calculator is wrong on the last; each takes five tokens, four of them thought."""
    checked, engine = sums_cell(tmp_path)
    summary = plain(await run_cell(checked, engine, grader))
    assert (summary["num_problems"], summary["num_correct"], summary["num_failed"]) == (3, 2, 0)
    assert summary["accuracy"] == pytest.approx(2 / 3)
    assert summary["tokens"]["generated"] == 15 == summary["engine_generated_tokens"]
    assert summary["tokens"]["thinking"] == 12
    assert summary["tokens"]["prompt"] == 3 * 4  # "i + i <ask>"
    assert summary["usd_per_gpu_hour"] == 3.6
    assert summary["usd_total"] == pytest.approx(summary["held_s"] * 0.001)
    assert summary["usd_per_correct"] == pytest.approx(summary["usd_total"] / 2)
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(json.dumps(summary))


async def test_an_answer_stands_between_its_longest_call_and_the_end_of_the_run(
    tmp_path: Path, grader: Grader
) -> None:
    checked, engine = sums_cell(tmp_path, num_problems=9)
    summary = plain(await run_cell(checked, engine, grader))
    directory = RunDirectory(tmp_path)
    outcomes = directory.outcomes()
    calls = directory.calls(outcomes)
    assert len(calls) == 9
    for outcome in outcomes:
        longest_s = max(c.finished_s - c.submitted_s for c in calls if c.problem_id == outcome.problem_id)
        assert longest_s <= outcome.spend.tta_s <= summary["wall_s"]


async def test_a_strategy_that_raises_fails_its_problem_alone(tmp_path: Path, grader: Grader) -> None:
    @dataclass(frozen=True)
    class AfraidOfOne(Strategy):
        async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
            if problem.id == "sum-1":
                raise ZeroDivisionError("one is odd")
            [trace] = await llm.extend(llm.start(problem))
            return Attempt(llm.answer(trace), (Candidate.of(trace, llm.answer(trace)),))

    checked, engine = sums_cell(tmp_path, strategy=AfraidOfOne(), num_problems=3)
    summary = plain(await run_cell(checked, engine, grader))
    assert (summary["num_problems"], summary["num_correct"], summary["num_failed"]) == (3, 1, 1)
    errors = {o.problem_id: o.error for o in RunDirectory(tmp_path).outcomes()}
    assert errors["sum-0"] is errors["sum-2"] is None
    assert re.fullmatch(r"ZeroDivisionError at .*test_loop\.py:\d+: one is odd", str(errors["sum-1"]))
    kept = (tmp_path / "errors.txt").read_text()
    assert kept.startswith("problem sum-1\nTraceback (most recent call last):\n")
    assert kept.endswith("ZeroDivisionError: one is odd\n\n")


async def test_asking_for_more_than_the_models_length_fails_that_problem(
    tmp_path: Path, grader: Grader
) -> None:
    @dataclass(frozen=True)
    class Greedy(Strategy):
        async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
            await llm.extend(llm.start(problem), max_tokens=10**6)
            raise AssertionError("not reached")

    checked, engine = sums_cell(tmp_path, strategy=Greedy(), num_problems=1)
    await run_cell(checked, engine, grader)
    [outcome] = RunDirectory(tmp_path).outcomes()
    assert outcome.error is not None
    assert (
        "max_tokens=1000000 asked for after 4 tokens; the model's length of 1000 leaves room for 996"
        in outcome.error
    )


async def test_a_dead_engine_ends_the_run_and_the_next_start_goes_on(tmp_path: Path, grader: Grader) -> None:
    dying = Calculator({}, codec=WordCodec(), dies_after=4)
    checked, engine = sums_cell(tmp_path, engine=dying, num_problems=9)
    with pytest.raises(EngineDied):
        await run_cell(checked, engine, grader)
    kept = RunDirectory(tmp_path).outcomes()
    assert 0 < len(kept) <= 4
    assert all(outcome.error is None for outcome in kept)

    checked, engine = sums_cell(tmp_path, num_problems=9)
    summary = plain(await run_cell(checked, engine, grader))
    assert len(engine.requests) == 9 - len(kept)
    lines = (tmp_path / "problems.jsonl").read_text().splitlines()
    assert len(lines) == len({json.loads(line)["problem_id"] for line in lines}) == 9
    assert summary["num_problems"] == 9
    assert summary["tokens"]["generated"] == 45
    assert summary["startup_s"] == 1.0  # two starts of half a second


async def test_other_problems_than_before_are_refused(tmp_path: Path, grader: Grader) -> None:
    checked, engine = sums_cell(tmp_path, num_problems=3)
    await run_cell(checked, engine, grader)
    more, engine = sums_cell(tmp_path, num_problems=4)
    with pytest.raises(ValueError, match="holds another run: other problems of task sums"):
        await run_cell(more, engine, grader)


async def test_arrivals_keep_to_their_process_although_the_engine_falls_behind(
    tmp_path: Path, grader: Grader
) -> None:
    """Problems come three times as fast as the engine answers them, one at a time."""

    @dataclass
    class OneAtATime(Calculator):
        turn: asyncio.Lock = field(default_factory=asyncio.Lock)

        async def generate(self, request: Request) -> Completion:
            async with self.turn:
                await asyncio.sleep(0.015)
                return await super().generate(request)

    slow = OneAtATime({}, codec=WordCodec())
    load = Poisson(rate_per_s=200.0, seed=1)
    checked, engine = sums_cell(tmp_path, engine=slow, load=load, num_problems=200)
    summary = plain(await run_cell(checked, engine, grader))

    spends = [outcome.spend for outcome in RunDirectory(tmp_path).outcomes()]
    arrivals_s = sorted(spend.arrived_s for spend in spends)
    assert stats.kstest(np.diff(arrivals_s), stats.expon(scale=1 / 200.0).cdf).pvalue > 0.05
    assert sum(spend.finished_s <= arrivals_s[-1] for spend in spends) < 100  # it could not answer more
    assert summary["saturated"] is True
    path = {part: spread["mean"] for part, spread in summary["critical_path"].items()}
    assert sum(path.values()) == pytest.approx(summary["tta_s"]["mean"])


@pytest.mark.parametrize("name", ["problems", "calls", "gauges"])
async def test_a_full_disk_ends_the_run_at_once_and_costs_nothing_that_was_kept(
    tmp_path: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    checked, engine = sums_cell(tmp_path, num_problems=60)
    append, num_kept = json_lines.append, Counter[str]()

    def full_after_four(file: Path, records: Sequence[Any]) -> None:
        num_kept[file.stem] += 1
        if file.stem == name and num_kept["problems"] >= 4:
            raise NotKept(file, OSError(errno.ENOSPC, "No space left on device"))
        append(file, records)

    async def at_once(
        read: Callable[[], Any],
    ) -> Any:  # a thread may come after the last of such short problems
        return read()

    with monkeypatch.context() as patched:
        patched.setattr(loop, "GAUGE_INTERVAL_S", 0.0)
        patched.setattr(asyncio, "to_thread", at_once)
        patched.setattr(json_lines, "append", full_after_four)
        with pytest.raises(NotKept, match=rf"{name}\.jsonl could not be written: No space left on device"):
            await run_cell(checked, engine, grader)
    assert len(engine.requests) < 20
    kept = {outcome.problem_id for outcome in RunDirectory(tmp_path).outcomes()}
    assert len(kept) >= 3

    checked, engine = sums_cell(tmp_path, num_problems=60)
    summary = plain(await run_cell(checked, engine, grader))
    assert len(engine.requests) == 60 - len(kept)
    assert summary["num_problems"] == 60


async def test_a_run_of_another_schema_is_not_gone_on_with(tmp_path: Path, grader: Grader) -> None:
    checked, engine = sums_cell(tmp_path)
    await run_cell(checked, engine, grader)
    directory = RunDirectory(tmp_path)
    directory.write_manifest(msgspec.structs.replace(directory.manifest(), schema_version=1))
    with pytest.raises(ValueError, match="was written under schema 1; only"):
        await run_cell(checked, engine, grader)
