"""Grades answers against gold answers and groups them for a vote, asking whatever can tell at least cost."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from tts_eval.grading import exact, shapes
from tts_eval.grading.grade import Grade, Reason, Verdict
from tts_eval.grading.messages import Form, Job, Kind, Reply
from tts_eval.grading.normal_form import MAX_ANSWER_CHARS, normalize
from tts_eval.grading.pool import GradingPool

MAX_NESTING = 20


@dataclass(slots=True)
class _Class:
    """Mutually equivalent answers: the first in canonical order, and where in the given order each stands."""

    representative: str
    form: Form
    indices: list[int]


class Grader:
    """Grade and group mathematical answers under the policy of docs/grading.md.

    Use it as an async context manager; it opens and closes its pools. The same question is asked only once
    of each. Votes go to `vote_pool` (`for_votes`), so that none waits behind the grading of another problem.

    Attributes:
        verdicts: how many answers were graded with which verdict.
        undecided_reasons: why the undecided ones were so.
        unparsed_reasons: why answers were grouped by their text alone.
    """

    def __init__(self, pool: GradingPool, vote_pool: GradingPool | None = None) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self.undecided_reasons: Counter[str] = Counter()
        self.unparsed_reasons: Counter[str] = Counter()
        self._pool = pool
        self._pools = tuple(dict.fromkeys((pool, vote_pool or pool)))
        self._replies: dict[tuple[GradingPool, Job], asyncio.Task[Reply]] = {}

    @property
    def vote_wait_s(self) -> float:
        """Seconds that votes have waited for a worker, all of them together."""
        return self._pools[-1].waited_s

    async def __aenter__(self) -> Self:
        for pool in self._pools:
            await pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._replies.values():
            task.cancel()
        await asyncio.gather(*self._replies.values(), return_exceptions=True)
        for pool in self._pools:
            await pool.__aexit__(kind, error, trace)

    async def grade(self, gold: str, answer: str | None) -> Grade:
        """Compare an answer with the gold answer; no answer is not equal to any."""
        if answer is None or not normalize(answer):
            grade = Grade(Verdict.UNEQUAL, Reason.NO_ANSWER)
        else:
            grade = await self._compare(normalize(gold), normalize(answer))
        self.verdicts[grade.verdict] += 1
        if grade.verdict is Verdict.UNDECIDED:
            self.undecided_reasons[str(grade.reason)] += 1
        return grade

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        """Return the classes of equivalent answers as indices, largest first, then first seen.

        Two answers are equivalent when each, as the gold answer, makes the other correct; the name in "x = 5"
        is ignored. Every answer joins the first class whose representative it is equivalent to, in an order
        that depends on the answers alone (exact numbers, then the rest, decimals last; short ones first): the
        classes never overlap, and the order given does not change them. What does not parse is in the class
        of its normal form; None and empty answers are in none.
        """
        indices_of: dict[str, list[int]] = {}
        for index, answer in enumerate(answers):
            if answer is not None and (normal := normalize(answer)):
                indices_of.setdefault(normal, []).append(index)
        found = await asyncio.gather(*(self._form(normal) for normal in indices_of))
        forms: dict[str, Form] = {}
        for normal, form in zip(indices_of, found, strict=True):
            if not isinstance(form, Form):
                self.unparsed_reasons[form] += len(indices_of[normal])
                form = Form(Kind.TEXT, key=f"text {normal}")
            forms[normal] = form
        classes: list[_Class] = []
        class_of: dict[str, _Class] = {}
        for normal, form in sorted(forms.items(), key=_canonical_order):
            joined = class_of.get(form.key) if form.key else await self._class_of(normal, form, classes)
            if joined is None:
                joined = _Class(normal, form, [])
                classes.append(joined)
                if form.key:
                    class_of[form.key] = joined
            joined.indices.extend(indices_of[normal])
        groups = [sorted(each.indices) for each in classes]
        return sorted(groups, key=lambda group: (-len(group), group[0]))

    def for_votes(self) -> Grader:
        """Return the grader of votes: it asks the vote pool, and shares all replies with this one."""
        voting = copy.copy(self)
        voting._pool = self._pools[-1]
        return voting

    async def num_unparsed(self, answers: Sequence[str | None]) -> int:
        """Return how many of the answers do not parse, so that only the same text equals them."""
        normals = [normalize(answer) for answer in answers if answer is not None]
        forms = await asyncio.gather(*(self._form(normal) for normal in normals if normal))
        return sum(not isinstance(form, Form) for form in forms)

    async def check_golds(self, golds: Sequence[str]) -> list[str]:
        """Return the gold answers that do not parse: they can be met by their own text only."""
        forms = await asyncio.gather(*(self._form(normalize(gold)) for gold in golds))
        return [gold for gold, form in zip(golds, forms, strict=True) if not isinstance(form, Form)]

    async def _class_of(self, normal: str, form: Form, classes: list[_Class]) -> _Class | None:
        for candidate in classes:
            if not form.may_equal(candidate.form):
                continue
            if await self._are_equivalent(candidate.representative, normal):
                return candidate
        return None

    async def _are_equivalent(self, one: str, other: str) -> bool:
        for gold, answer in ((one, other), (other, one)):
            if (await self._compare(gold, answer)).verdict is not Verdict.EQUAL:
                return False
        return True

    async def _compare(self, gold: str, answer: str) -> Grade:
        if gold and gold == answer:
            return Grade(Verdict.EQUAL)
        if unfit := _unfit(gold) or _unfit(answer):
            return Grade(Verdict.UNDECIDED, unfit)
        if verdict := exact.compare(gold, answer):
            return Grade(verdict, Reason.TWO_READINGS if verdict is Verdict.UNDECIDED else None)
        gold, answer = shapes.aligned(exact.read(gold).core, exact.read(answer).core)
        reply = await self._ask(Job(answer, gold))
        if reply.equal is None:
            return Grade(Verdict.UNDECIDED, reply.failure)
        return Grade(Verdict.EQUAL if reply.equal else Verdict.UNEQUAL)

    async def _form(self, normal: str) -> Form | Reason:
        if unfit := _unfit(normal):
            return unfit
        if form := exact.describe(normal):
            return form
        reading = exact.read(normal)
        reply = await self._ask(Job(reading.core))
        if reply.form and reading.unit:
            return replace(reply.form, key=None)  # 5 cm and 5 kg both fit 5, and not each other
        return reply.form or reply.failure or Reason.CRASH

    async def _ask(self, job: Job) -> Reply:
        for other in self._pools:
            asked = self._replies.get((other, job))
            if asked and (asked.done() or other is self._pool):  # a vote does not wait for the other pool
                return await asyncio.shield(asked)
        task = self._replies[self._pool, job] = asyncio.create_task(self._pool.submit(job))
        return await asyncio.shield(task)  # others may wait for it when we are cancelled


def _unfit(normal: str) -> Reason | None:
    if len(normal) > MAX_ANSWER_CHARS:
        return Reason.TOO_LONG
    if len(normal) <= MAX_NESTING:
        return None
    depth = deepest = 0
    for character in normal:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return Reason.TOO_NESTED if deepest > MAX_NESTING else None


def _canonical_order(parsed: tuple[str, Form]) -> tuple[int, int, str]:
    normal, form = parsed
    tier = 0 if form.key else 2 if exact.is_decimal(normal) else 1
    return tier, len(normal), normal
