"""A budget ends every attempt alike: calls that run are stopped and booked, what stood is the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from strategies.cot import Cot
from strategies.majority_vote import MajorityVote
from tests.running.cells import sums_cell
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.measuring.budget import Allowance, Budget, Cut
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Candidate, Finish, Problem
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.schema import plain
from tts_eval.running.attempt import attempt_within
from tts_eval.running.loop import run_cell
from tts_eval.spend import MaxSpend

PROBLEM = Problem("p", "What is 6 x 7?", "42")


async def attempted(
    strategy: Strategy, replies: dict[str, list[str]], budget: Budget, *, declared_tokens: int | None = None
) -> tuple[Attempt, MeteredModel]:
    allowance = Allowance(budget, declared_tokens=declared_tokens)
    llm = metered(ScriptedEngine(replies), allowance=allowance)
    solving: Coroutine[Any, Any, Attempt] = strategy.solve(PROBLEM, llm, None)
    return await attempt_within(allowance, solving, llm.meter), llm


async def test_a_vote_that_runs_out_of_tokens_is_won_by_the_ballots_that_are_in() -> None:
    """Three voters write a token in turn; when twelve are out, two have voted and the third is at work."""
    replies = {"": [" a </think> \\boxed{7}", " a </think> \\boxed{7}", " a b c d e f g </think> \\boxed{8}"]}
    attempt, llm = await attempted(MajorityVote(n=3), replies, Budget(max_tokens=12))

    assert llm.allowance.cut is Cut.TOKENS
    assert attempt.answer == "7"
    assert [candidate.answer for candidate in attempt.candidates] == ["7", "7"]
    assert sorted((call.num_generated_tokens, call.finish) for call in llm.meter.calls) == [
        (3, Finish.END),
        (3, Finish.END),
        (6, Finish.ABORT),  # stopped in the middle, and booked
    ]
    assert llm.meter.spend().num_generated_tokens == 12 == llm.allowance.num_tokens


async def test_one_sample_never_grows_over_the_budget_and_its_trace_is_kept() -> None:
    replies = {"": [" a </think> \\boxed{42} is what I say"]}
    attempt, llm = await attempted(Cot(), replies, Budget(max_tokens=4))

    assert (attempt.answer, llm.allowance.cut) == ("42", Cut.TOKENS)
    [candidate] = attempt.candidates
    assert (candidate.num_tokens, candidate.finish) == (4, Finish.LENGTH)


async def test_an_attempt_that_ends_in_time_is_not_marked() -> None:
    replies = {"": [" a </think> \\boxed{42}"]}
    attempt, llm = await attempted(Cot(), replies, Budget(max_tokens=3, deadline_s=60))
    assert (attempt.answer, llm.allowance.cut) == ("42", None)


async def test_at_the_deadline_the_best_interim_answer_counts() -> None:
    @dataclass(frozen=True)
    class Ponders(Strategy):
        async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
            [trace] = await llm.extend(llm.start(problem))
            answer = llm.answer(trace)
            llm.interim(answer, [Candidate.of(trace, answer)])
            await asyncio.Event().wait()
            raise AssertionError("not reached")

    replies = {"": [" a </think> \\boxed{42}"]}
    attempt, llm = await attempted(Ponders(), replies, Budget(deadline_s=0.05))
    assert (attempt.answer, llm.allowance.cut) == ("42", Cut.DEADLINE)
    assert len(attempt.candidates) == 1


@dataclass(frozen=True)
class Loops(Strategy):
    """Asks for another trace for ever; it said that it would spend 9 tokens."""

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        while True:
            await llm.extend(llm.start(problem))

    def max_spend(self, room_tokens: int) -> MaxSpend:
        return MaxSpend(1, 9)


async def test_a_loop_ends_where_the_budget_does() -> None:
    attempt, llm = await attempted(Loops(), {"": [" a b c"]}, Budget(max_tokens=7))
    assert (attempt, llm.allowance.cut) == (Attempt(None, ()), Cut.TOKENS)
    assert llm.meter.spend().num_generated_tokens == 7


async def test_a_loop_that_breaks_its_own_word_fails_its_problem_alone(tmp_path: Path) -> None:
    checked, engine = sums_cell(tmp_path, strategy=Loops(), num_problems=2)
    summary = plain(await run_cell(checked, engine, Grader(GradingPool())))

    assert (summary["num_problems"], summary["num_failed"]) == (2, 2)
    assert summary["tokens"]["generated"] == 2 * 10  # two traces of five tokens each
    for outcome in RunDirectory(tmp_path).outcomes():
        assert outcome.error is not None
        assert "asks for more after all of the 9 tokens that it declared" in outcome.error


async def test_the_mark_and_the_tokens_are_in_the_run_and_survive_it(tmp_path: Path) -> None:
    checked, engine = sums_cell(tmp_path, num_problems=3, budget=Budget(max_tokens=4))
    summary = plain(await run_cell(checked, engine, Grader(GradingPool())))

    outcomes = RunDirectory(tmp_path).outcomes()
    assert [outcome.cut for outcome in outcomes] == [Cut.TOKENS] * 3
    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert summary["tokens"]["generated"] == 3 * 4
    assert RunDirectory(tmp_path).manifest().budget == Budget(max_tokens=4)


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"budget\.max_tokens must be a whole number from 1, not 0"):
        Budget(max_tokens=0)
    with pytest.raises(ValueError, match=r"budget\.deadline_s must be a number from 0\.001 or more, not -1"):
        Budget(deadline_s=-1)
