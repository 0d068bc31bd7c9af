"""A task whose answers are another task's affair."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

from tts_eval.grading.grade import Grade
from tts_eval.grading.grader import Grader
from tts_eval.protocols.task import Task
from tts_eval.records import Problem


class DelegatedTask(Task):
    """Problems of its own, whose answers are found, graded and compared as `own` does.

    A subclass overrides `problems` and sets `own`, as a field or when it is built.
    """

    own: Task

    def extract(self, text: str) -> str | None:
        """Return the answer that `text` states."""
        return self.own.extract(text)

    def extract_truncated(self, text: str) -> str | None:
        """Return the answer of a `text` that was cut off."""
        return self.own.extract_truncated(text)

    async def grade(self, problem: Problem, answer: str) -> Grade:
        """Return whether `answer` is right."""
        return await self.own.grade(problem, answer)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        """Return the classes of answers that are the same."""
        return await self.own.group(answers)

    async def num_unparsed(self, answers: Sequence[str | None]) -> int:
        """Return how many answers do not parse as mathematics."""
        return await self.own.num_unparsed(answers)

    async def unparsed_golds(self, golds: Sequence[str]) -> list[str]:
        """Return the gold answers that only their own text can equal."""
        return await self.own.unparsed_golds(golds)

    def with_grader(self, grader: Grader) -> Self:
        """Return the task with the workers that compare mathematics."""
        ready = copy.copy(self)
        object.__setattr__(ready, "own", self.own.with_grader(grader))
        return ready
