"""Trace cache: a problem that was solved before, exactly or nearly, is answered from its stored attempt.

It never sees a gold answer, so a stored mistake is repeated; hits are marked (`Attempt.reused_from`) and
can be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tts_eval.protocols import Embedding, LanguageModel, Strategy, Verifier
from tts_eval.protocols.bounds import number, one_of
from tts_eval.records import Attempt, Problem
from tts_eval.rundir.problems import solved_problems
from tts_eval.spend import MaxSpend

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stored:
    """A solved problem as the cache keeps it."""

    problem_id: str
    question: str
    vector: Vector | None
    attempt: Attempt


@dataclass(frozen=True)
class TraceCache(Strategy):
    """`inner` solves what is not stored yet; its attempts are stored, those of earlier `runs` already are.

    `exact`: the questions are equal but for white space. `embedding`: the cosine of their vectors is at least
    `threshold`; the nearest one counts. Problems in flight together do not wait for one another: both are
    solved.
    """

    inner: Strategy
    match: str = one_of("exact", ("exact", "embedding"))
    threshold: float = number(0.95, minimum=0.0, maximum=1.0)
    embedding: Embedding | None = None
    runs: Sequence[str] = ()
    _stored: list[Stored] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.match == "embedding" and self.embedding is None:
            raise ValueError("strategy.match=embedding needs a strategy.embedding")
        for folder in self.runs:
            for problem, outcome in solved_problems(Path(folder)):
                if outcome.attempt is not None:
                    self._store(problem, outcome.attempt)

    def max_spend(self, room_tokens: int) -> MaxSpend | None:
        """Return what the inner strategy may spend."""
        return self.inner.max_spend(room_tokens)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer from the store, or solve and store."""
        found = self._find(problem)
        if found is not None:
            return replace(found.attempt, reused_from=found.problem_id)
        attempt = await self.inner.solve(problem, llm, verifier)
        self._store(problem, attempt)
        return attempt

    def _key(self, problem: Problem) -> tuple[str, Vector | None]:
        question = " ".join(problem.question.split())
        vector = self.embedding(question) if self.match == "embedding" and self.embedding else None
        return question, vector

    def _store(self, problem: Problem, attempt: Attempt) -> None:
        if attempt.answer is not None:
            self._stored.append(Stored(problem.id, *self._key(problem), attempt))

    def _find(self, problem: Problem) -> Stored | None:
        question, vector = self._key(problem)
        if vector is None:
            return next((stored for stored in self._stored if stored.question == question), None)
        alike = [
            (float(stored.vector @ vector), stored) for stored in self._stored if stored.vector is not None
        ]
        likeness, nearest = max(alike, key=lambda pair: pair[0], default=(-1.0, None))
        return nearest if likeness >= self.threshold else None
