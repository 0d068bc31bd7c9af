"""What one problem's strategy holds of the run's verifier: no prefix of steps is scored twice.

Every trace is a request of its own, so that the engine batches what all problems and branches ask for;
nobody waits for a batch to fill.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tts_eval.concurrency import together
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.protocols import LanguageModel, Recalled, StepScores, Verifier
from tts_eval.records import Problem, Trace
from tts_eval.toolkit.reads import part_read
from tts_eval.toolkit.steps import split_steps

NEUTRAL = 0.5  # the score where a verifier came to no verdict: neither for the trace nor against it
Scoring = asyncio.Task[Sequence[float]]


@asynccontextmanager
async def metered_verifier(
    verifier: Verifier | None, llm: MeteredModel
) -> AsyncIterator[MeteredVerifier | None]:
    """Yield the handle on `verifier` for one problem; what still runs at the end is stopped and booked."""
    if verifier is None:
        yield None
        return
    handle = MeteredVerifier(verifier, llm)
    try:
        yield handle
    finally:
        await handle.stop()


@dataclass(frozen=True, eq=False)
class MeteredVerifier(Verifier):
    """Scores the traces of one problem through `llm`, the policy's metered handle.

    A score is asked for once: of a step after the same steps, or of the same trace. A caller that asks while
    it is being computed waits for it, and may be cancelled without harm to the others. Recorded scores are
    never shared: equal texts may have been given different ones.
    """

    verifier: Verifier
    llm: MeteredModel
    _first: _Step = field(default_factory=lambda: _Step())
    _whole: dict[tuple[int, ...], Scoring] = field(default_factory=dict)
    _running: set[Scoring] = field(default_factory=set)
    _recalled: set[int] = field(default_factory=set)

    async def score(self, problem: Problem, traces: Sequence[Trace]) -> list[StepScores]:
        """Return for each trace one score a step of what is read of it, or the one score of the trace."""
        return await together(self._score(problem, trace) for trace in traces)

    async def stop(self) -> None:
        """Stop what is still being computed."""
        for scoring in self._running:
            scoring.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _score(self, problem: Problem, trace: Trace) -> StepScores:
        llm = self.llm.scoring(trace)
        recalled = self.verifier.recall(problem, trace)
        if recalled is not None:
            return self._rebooked(recalled, llm)
        if self.verifier.scores_steps:
            steps = split_steps(part_read(trace, self.verifier.reads), llm.markers)
            return await self._score_each(problem, steps, llm)
        key = trace.prompt_ids + trace.token_ids
        if key not in self._whole:
            self._whole[key] = self._start(_one(self.verifier, problem, trace, llm))
        return await asyncio.shield(self._whole[key])

    def _rebooked(self, recalled: Recalled, llm: MeteredModel) -> StepScores:
        """Return recorded scores; a call that scored several samples is booked once."""
        for call in recalled.calls:
            if call.number not in self._recalled:
                self._recalled.add(call.number)
                llm.rebook(call)
        return recalled.scores

    async def _score_each(self, problem: Problem, steps: Sequence[str], llm: MeteredModel) -> StepScores:
        path, place = list[_Step](), self._first
        for step in steps:
            place = place.next.setdefault(step, _Step())
            path.append(place)
        num_known = sum(place.is_known for place in path)  # what is known stands before what is not
        if num_known < len(path):
            scoring = self._start(_rest(self.verifier, problem, steps, llm, num_known=num_known))
            for number, place in enumerate(path[num_known:]):
                place.scoring, place.number = scoring, number
        scores = []
        for place in path:
            assert place.scoring is not None
            scores.append((await asyncio.shield(place.scoring))[place.number])
        return scores

    def _start(self, scoring: Coroutine[Any, Any, Sequence[float]]) -> Scoring:
        task = asyncio.create_task(scoring)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


@dataclass(eq=False)
class _Step:
    """A step in the tree of all steps scored so far: the `number`-th score of `scoring`."""

    next: dict[str, _Step] = field(default_factory=dict)
    scoring: Scoring | None = None
    number: int = 0

    @property
    def is_known(self) -> bool:
        """Whether its score is there or on its way; what failed in a longer trace may do in a shorter one."""
        if self.scoring is None or self.scoring.cancelled():
            return False
        return not self.scoring.done() or self.scoring.exception() is None


async def _rest(
    verifier: Verifier, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
) -> Sequence[float]:
    scores = await verifier.score_steps(problem, steps, llm, num_known=num_known)
    assert len(scores) == len(steps) - num_known, "a score for every step, and no other"
    return scores


async def _one(verifier: Verifier, problem: Problem, trace: Trace, llm: LanguageModel) -> Sequence[float]:
    score = await verifier.score_trace(problem, trace, llm)
    if score is None:
        llm.note_unscored()
        return [NEUTRAL]
    return [score]
