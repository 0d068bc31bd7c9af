"""The base of every task."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Self

from tts_eval.grading.answers import extract_answer
from tts_eval.grading.grade import Grade, Reason, Verdict
from tts_eval.grading.grader import Grader
from tts_eval.protocols.bounds import check_bounds
from tts_eval.records import Problem


class Task:
    """A benchmark: problems with gold answers, and how an answer is found, graded and compared with others.

    To write one, subclass it as a frozen dataclass whose fields are its YAML, with their bounds
    (`tts_eval.protocols.bounds`), and override `problems`.
    Answers are mathematics (docs/grading.md) unless it overrides

    - `extract`: what of a text is its answer,
    - `grade`: whether an answer is right,
    - `group`: which answers are the same, so that votes count them together.

    A task of exact answers, choices or programs overrides these three and changes nothing else.
    """

    _grader: Grader | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a setting that is out of its bounds; overriding it, call it first."""
        check_bounds("task", self)

    @property
    def name(self) -> str:
        """What the benchmark is called in tables."""
        return type(self).__name__.lower()

    def problems(self) -> Iterable[Problem]:
        """Return the problems in a fixed order; raises ValueError on a row that cannot be used."""
        raise NotImplementedError(f"{type(self).__name__} does not override problems")

    def extract(self, text: str) -> str | None:
        """Return the answer that `text`, what a model says after its thinking, states; None if none."""
        return extract_answer(text)

    def extract_truncated(self, text: str) -> str | None:
        """Return the answer of a `text` that was cut off; one of mathematics is not guessed from it."""
        if self._overrides("extract"):
            return self.extract(text)
        return extract_answer(text, is_truncated=True)

    async def grade(self, problem: Problem, answer: str) -> Grade:
        """Return whether `answer` is right."""
        if problem.gold is None:
            return Grade(Verdict.UNDECIDED, Reason.NO_GOLD)
        return await self._mathematics.grade(problem.gold, answer)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        """Return the classes of answers that are the same as indices, the largest first, then the first seen.

        None is in no class.
        """
        return await self._mathematics.group(answers)

    async def num_unparsed(self, answers: Sequence[str | None]) -> int:
        """Return how many answers do not parse as mathematics; 0 where the task compares them itself."""
        return 0 if self._overrides("group") else await self._mathematics.num_unparsed(answers)

    async def unparsed_golds(self, golds: Sequence[str]) -> list[str]:
        """Return the gold answers that only their own text can equal; none where the task grades itself."""
        return [] if self._overrides("grade") else await self._mathematics.check_golds(golds)

    def with_grader(self, grader: Grader) -> Self:
        """Return the task with the workers that compare mathematics, which a run starts."""
        ready = copy.copy(self)
        object.__setattr__(ready, "_grader", grader)
        return ready

    @property
    def _mathematics(self) -> Grader:
        if self._grader is None:
            raise RuntimeError(f"{self.name} compares mathematics in workers: use task.with_grader(grader)")
        return self._grader

    def _overrides(self, hook: str) -> bool:
        return getattr(type(self), hook) is not getattr(Task, hook)
