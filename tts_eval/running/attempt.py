"""One attempt at a problem: at the limit of its budget it is stopped, and its best interim answer counts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tts_eval.grading.grade import Grade, Reason, Verdict
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.metered_verifier import metered_verifier
from tts_eval.measuring.budget import Allowance, BudgetSpent, Cut
from tts_eval.measuring.meter import Meter
from tts_eval.protocols import Task
from tts_eval.records import Attempt, Interim, Problem
from tts_eval.requests import EngineDied
from tts_eval.running.cell import CheckedCell
from tts_eval.running.failure import described, traceback_of


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an attempt: `cut` where the budget ended it, `error` and `trace` where it raised."""

    attempt: Attempt | None
    cut: Cut | None
    error: str | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Attempting:
    """What all attempts of a session have in common.

    `task` groups the answers of votes, whose time is the problem's; `roles` are the models that play them.
    """

    checked: CheckedCell
    task: Task
    roles: Mapping[str, Served]

    async def attempt(self, problem: Problem, meter: Meter) -> Tried:
        """Let the strategy answer `problem`, spending on `meter`; raises EngineDied, but nothing else."""
        cell = self.checked.cell
        num_prompt_tokens = len(self.checked.codec.prompt(problem.question))
        max_model_len = self.roles["policy"].engine.facts.max_model_len
        allowance = self._allowance(room_tokens=max_model_len - num_prompt_tokens)
        llm = MeteredModel(
            self.roles,
            meter,
            self.task,
            run_seed=cell.seed,
            allowance=allowance,
            num_logprobs=cell.verifier.num_logprobs if cell.verifier else None,
            priority=cell.scheduling.priority_of(problem, num_prompt_tokens=num_prompt_tokens),
        )
        try:
            async with metered_verifier(cell.verifier, llm) as verifier:
                solving = cell.strategy.solve(problem, llm, verifier)
                attempt = await attempt_within(allowance, solving, meter)
            meter.interim(attempt.answer, attempt.candidates)  # from now on the answer stands
        except Exception as failure:
            if is_caused_by(failure, EngineDied):
                raise EngineDied(str(failure)) from failure
            return Tried(None, allowance.cut, described(failure), traceback_of(failure))
        return Tried(attempt, allowance.cut)

    def _allowance(self, *, room_tokens: int) -> Allowance:
        spend = self.checked.cell.strategy.max_spend(room_tokens)
        return Allowance(self.checked.cell.budget, declared_tokens=spend.num_tokens if spend else None)


async def attempt_within(
    allowance: Allowance, solving: Coroutine[Any, Any, Attempt], meter: Meter
) -> Attempt:
    """Return what `solving` makes of its problem, or what stood when the budget ended it.

    `allowance.cut` says which; calls that run at that moment are stopped and booked before this returns.
    """
    if not allowance.budget.is_limited:
        return await solving
    task = asyncio.ensure_future(solving)
    used_up = asyncio.ensure_future(allowance.used_up())
    try:
        deadline_s = allowance.budget.deadline_s  # counts from the arrival, be that some way back
        left_s = None if deadline_s is None else max(0.0, deadline_s - meter.late_s)
        await asyncio.wait({task, used_up}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            allowance.end(Cut.DEADLINE)  # unless the tokens were spent before
    finally:
        used_up.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if not task.cancelled():
        failure = task.exception()
        if failure is None:
            return task.result()
        if not is_caused_by(failure, BudgetSpent):
            raise failure
    standing = meter.interims[-1].answer if meter.interims else None
    return Attempt(standing, tuple(meter.candidates))


def is_caused_by(failure: BaseException, kind: type[Exception]) -> bool:
    """Whether `failure` is of this kind, or a group with one of it."""
    if isinstance(failure, BaseExceptionGroup):
        return failure.subgroup(kind) is not None
    return isinstance(failure, kind)


Classes = tuple[int | None, ...]


async def grade_of(task: Task, problem: Problem, attempt: Attempt | None) -> Grade:
    """Return the grade of what was answered; a lone sample with a recorded verdict needs no answer for it."""
    if attempt is None or (attempt.answer is None and len(attempt.candidates) > 1):
        return Grade(Verdict.UNEQUAL, Reason.NO_ANSWER)
    return await _grade(task, problem, attempt.answer, attempt)


async def judge(
    task: Task, problem: Problem, attempt: Attempt | None, interims: Sequence[Interim]
) -> tuple[Mapping[str, Verdict], Classes, int]:
    """Return a verdict for each distinct answer, each candidate's class, and how many do not parse.

    A class is the number of those candidates whose answers are the same to the task.
    """
    candidates = () if attempt is None else attempt.candidates
    final = () if attempt is None else (attempt.answer,)
    answers = (*final, *(c.answer for c in candidates), *(interim.answer for interim in interims))
    stated = [answer for answer in dict.fromkeys(answers) if answer is not None]
    verdicts = {answer: (await _grade(task, problem, answer, attempt)).verdict for answer in stated}
    given = [candidate.answer for candidate in candidates]
    classes: list[int | None] = [None] * len(candidates)
    for number, members in enumerate(await task.group(given)):
        for index in members:
            classes[index] = number
    return verdicts, tuple(classes), await task.num_unparsed(given)


async def _grade(task: Task, problem: Problem, answer: str | None, attempt: Attempt | None) -> Grade:
    """Return the verdict recorded with the candidate that states `answer`, else the task's."""
    stating = None if attempt is None else attempt.stating(answer)
    if stating is not None and stating.is_correct is not None:
        return Grade(Verdict.EQUAL if stating.is_correct else Verdict.UNEQUAL, Reason.RECORDED)
    if answer is None:
        return Grade(Verdict.UNEQUAL, Reason.NO_ANSWER)
    return await task.grade(problem, answer)
