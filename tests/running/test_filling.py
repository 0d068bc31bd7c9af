"""A steady load stays up from the first measured arrival to the last measured answer, on a clock of its own.

The scripted server needs as many seconds for a problem as its question says, whatever else runs beside it.
"""

from __future__ import annotations

import asyncio
import errno
import heapq
import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from strategies.cot import Cot
from strategies.trace_cache import TraceCache
from tests.running.cells import Calculator, sums_cell
from tts_eval.engines.salted import SaltedEngine
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import WordCodec
from tts_eval.protocols import LanguageModel, Load, Strategy, Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.requests import Completion, EngineDied, Request
from tts_eval.rundir import json_lines
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.json_lines import NotKept
from tts_eval.rundir.outcome import Fill
from tts_eval.rundir.schema import plain
from tts_eval.running.loads import AllAtOnce, Concurrent, Poisson, Sequential
from tts_eval.running.loop import run_cell


@dataclass
class Time:
    """A clock that jumps to the next moment somebody sleeps for, as soon as nobody else can go on."""

    now_s: float = 0.0
    sleepers: list[tuple[float, int, asyncio.Event]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        wake = asyncio.Event()
        heapq.heappush(self.sleepers, (self.now_s + seconds, len(self.sleepers), wake))
        await wake.wait()

    async def run(self) -> None:
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            if self.sleepers:
                self.now_s, _, wake = heapq.heappop(self.sleepers)
                wake.set()


async def flights(
    load: Load, seconds: list[float], fill: list[float]
) -> tuple[list[tuple[float, float]], list[tuple[float, float, bool]]]:
    """Return when each measured problem and each fill was in flight; a fill with whether it was stopped."""
    time = Time()
    measured, filled = [], []

    async def arrive(lasts_s: float, due_s: float) -> None:
        await time.sleep(lasts_s)
        measured.append((due_s, time.clock()))

    async def arrive_fill(lasts_s: float, due_s: float) -> None:
        is_stopped = True
        try:
            await time.sleep(lasts_s)
            is_stopped = False
        finally:
            filled.append((due_s, time.clock(), is_stopped))

    running = asyncio.create_task(time.run())
    await load.drive(
        [partial(arrive, lasts_s) for lasts_s in seconds],
        clock=time.clock,
        fill=(partial(arrive_fill, lasts_s) for lasts_s in fill),
    )
    running.cancel()
    return measured, filled


async def test_a_closed_loop_is_full_from_the_first_measured_arrival_to_the_last_answer() -> None:
    """Fill of 1, 2 and 3 seconds begins; measured problems of 4, 4 and 4 s come at 1, 2, 3 as they end."""
    measured, filled = await flights(Concurrent(3), [4.0, 4.0, 4.0], [1.0, 2.0, 3.0, 9.0, 9.0, 9.0])

    assert measured == [(1.0, 5.0), (2.0, 6.0), (3.0, 7.0)]
    begun = [(0.0, 1.0, False), (0.0, 2.0, False), (0.0, 3.0, False)]
    assert sorted(filled) == [*begun, (5.0, 7.0, True), (6.0, 7.0, True)]


@pytest.mark.parametrize("load", [Sequential(), Concurrent(1)])
async def test_a_single_user_needs_no_fill(load: Load) -> None:
    assert await flights(load, [4.0, 1.0], [9.0] * 9) == ([(0.0, 4.0), (4.0, 5.0)], [])


async def test_a_batch_is_not_filled() -> None:
    assert await flights(AllAtOnce(), [4.0, 1.0], [9.0] * 9) == ([(0.0, 1.0), (0.0, 4.0)], [])


async def test_a_failure_of_fill_or_of_a_measured_problem_ends_the_load() -> None:
    async def fail(due_s: float) -> None:
        raise EngineDied("gone")

    async def last(due_s: float) -> None:
        await asyncio.Event().wait()

    for load in (Concurrent(2), Poisson(1e4)):
        with pytest.raises(EngineDied):
            await load.drive([last], clock=lambda: 0.0, fill=iter([fail] * 3))
        with pytest.raises(EngineDied):
            await load.drive([last, fail], clock=lambda: 0.0)


async def test_fill_of_an_open_loop_goes_on_with_its_process() -> None:
    dues_s: list[float] = []
    answered = asyncio.Event()

    async def measured(due_s: float) -> None:
        dues_s.append(due_s)
        await answered.wait()

    async def fill(due_s: float) -> None:
        dues_s.append(due_s)
        if len(dues_s) == 20:
            answered.set()
        await asyncio.Event().wait()

    load = Poisson(2000.0, seed=3)
    loop = asyncio.get_running_loop()
    await load.drive([measured] * 10, clock=loop.time, fill=iter([fill] * 1000))
    offsets_s = [due_s - dues_s[0] for due_s in dues_s[:20]]
    assert offsets_s == pytest.approx(load.offsets_s(20).tolist())


@dataclass
class Slow(Calculator):
    """Takes as many turns of the event loop as the number that is asked for, and ten more."""

    stopped: int = 0

    async def generate(self, request: Request) -> Completion:
        try:
            for _ in range(10 + int(self.codec.decode(request.prompt_ids).split()[0])):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        return await super().generate(request)


@pytest.fixture
def grader() -> Grader:
    return Grader(GradingPool())


def fills_of(path: Path) -> list[Fill]:
    return RunDirectory(path).fills()


async def test_fill_is_counted_in_no_figure_and_touches_no_outcome(tmp_path: Path, grader: Grader) -> None:
    engine = Slow({}, codec=WordCodec())
    checked, _ = sums_cell(tmp_path, engine=engine, load=Concurrent(4), num_problems=6)
    summary = plain(await run_cell(checked, engine, grader))
    fills = fills_of(tmp_path)

    assert [fill.problem_id for fill in fills[:4]] == [f"sum-{i}#fill-0" for i in (2, 3, 4, 5)]
    num_stopped = sum(fill.is_stopped for fill in fills)
    assert 0 < num_stopped == engine.stopped == summary["fill"]["num_stopped"] <= 3
    assert (summary["num_problems"], summary["tokens"]["generated"]) == (6, 30)
    assert summary["fill"]["num_generated_tokens"] == 5 * (len(fills) - num_stopped)
    assert summary["engine_generated_tokens"] == 30 + summary["fill"]["num_generated_tokens"]
    outcomes = RunDirectory(tmp_path).outcomes()
    assert [outcome.problem_id for outcome in outcomes] == [f"sum-{i}" for i in range(6)]
    total_s = sum(outcome.spend.tta_s for outcome in outcomes)
    assert summary["held_s"] == pytest.approx(total_s / 4)
    assert summary["usd_total"] == pytest.approx(0.001 * total_s / 4)
    assert summary["problems_per_s"] == pytest.approx(6 * 4 / total_s)
    assert summary["mean_in_flight"] == pytest.approx(4.0, rel=0.2)  # two looks at the clock, a problem
    marked = [line for line in RunDirectory(tmp_path).lines("calls") if "#fill-" in line["problem_id"]]
    assert len(marked) == summary["fill"]["num_calls"] == len(fills)  # what was stopped is booked too


async def test_problems_wrap_around_where_they_are_fewer_than_users(tmp_path: Path, grader: Grader) -> None:
    checked, engine = sums_cell(tmp_path, load=Concurrent(5), num_problems=2)
    summary = plain(await run_cell(checked, engine, grader))
    names = [fill.problem_id for fill in fills_of(tmp_path)]

    assert names[:5] == ["sum-1#fill-0", "sum-0#fill-0", "sum-1#fill-1", "sum-0#fill-1", "sum-1#fill-2"]
    assert summary["num_problems"] == 2
    assert {request.cache_salt for request in engine.requests} >= {None, "fill-0", "fill-1", "fill-2"}


async def test_measured_problems_find_nothing_that_fill_has_stored(tmp_path: Path, grader: Grader) -> None:
    cache = TraceCache(Cot())
    checked, engine = sums_cell(tmp_path, strategy=cache, load=Concurrent(3), num_problems=4)
    summary = plain(await run_cell(checked, engine, grader))

    assert summary["num_reused"] == 0
    assert [stored.problem_id for stored in cache._stored] == [f"sum-{i}" for i in range(4)]


async def test_fill_that_fails_is_ignored_and_not_asked_again(tmp_path: Path, grader: Grader) -> None:
    @dataclass(frozen=True)
    class Fearful(Strategy):
        async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
            if problem.id != "sum-2":
                raise ZeroDivisionError("one is odd")
            return await Cot().solve(problem, llm, verifier)

    slow = Slow({}, codec=WordCodec())
    checked, engine = sums_cell(tmp_path, engine=slow, strategy=Fearful(), load=Concurrent(3))
    summary = plain(await run_cell(checked, engine, grader))
    names = [fill.problem_id for fill in fills_of(tmp_path)]

    assert (summary["num_problems"], summary["num_failed"]) == (3, 2)
    assert names.count("sum-0#fill-0") == names.count("sum-1#fill-0") == 1
    assert "sum-0#fill-1" not in names


async def test_a_dead_engine_ends_the_run_from_within_fill(tmp_path: Path, grader: Grader) -> None:
    dying = Calculator({}, codec=WordCodec(), dies_after=2)
    checked, engine = sums_cell(tmp_path, engine=dying, load=Concurrent(4), num_problems=3)
    with pytest.raises(EngineDied):
        await run_cell(checked, engine, grader)
    assert len(fills_of(tmp_path)) == 4


@pytest.mark.parametrize("line", [b"#fill-", b'"is_stopped":false', b'"is_stopped":true'])
async def test_a_disk_that_takes_no_fill_ends_the_run(
    tmp_path: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    """Its calls, one that was answered, one that was stopped when all measured problems were."""

    def full(descriptor: int, text: bytes) -> int:
        if line in text:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, text)

    monkeypatch.setattr(json_lines, "os_write", full)
    slow = Slow({}, codec=WordCodec())
    checked, engine = sums_cell(tmp_path, engine=slow, load=Concurrent(3), num_problems=6)
    with pytest.raises(NotKept, match="jsonl could not be written: No space left on device"):
        await asyncio.wait_for(run_cell(checked, engine, grader), 30)
    assert not (tmp_path / "summary.json").exists()

    monkeypatch.undo()
    summary = plain(await run_cell(checked, engine, grader))
    assert (summary["num_problems"], summary["num_failed"]) == (6, 0)


async def test_a_strategy_that_cannot_be_copied_is_named_before_anything_starts(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Uncopied(Strategy):
        def __deepcopy__(self, memo: object) -> None:
            raise TypeError("cannot pickle '_thread.lock' object")

        async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
            raise AssertionError("not reached")

    checked, _ = sums_cell(tmp_path, strategy=Uncopied(), load=Concurrent(2))
    with pytest.raises(ValueError, match=r"Uncopied or its verifier cannot be copied .*load=sequential"):
        checked.cell.apart()


async def test_a_salted_engine_salts_each_request() -> None:
    engine = Calculator({}, codec=WordCodec())
    [prompt] = [engine.codec.prompt("1 + 1")]
    checked, _ = sums_cell(Path("unused"), engine=engine)
    request = Request(prompt, checked.cell.model.sampling, max_tokens=9)
    salted = SaltedEngine(engine, "grey")
    completion = await salted.generate(request)
    stream = salted.stream(replace(request, max_tokens=8))

    assert [look async for look in stream][-1].finish is not None
    assert completion.token_ids
    assert [request.cache_salt for request in engine.requests] == ["grey", "grey"]
    assert salted.facts == engine.facts
