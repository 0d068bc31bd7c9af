"""Whether a verifier reads what it should: a worked example, on its engine and on the reference."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tts_eval.engines.protocol import ReadingEngine
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.measuring.meter import Meter
from tts_eval.protocols import Task, Verifier
from tts_eval.records import Problem
from tts_eval.requests import PoolingRequest


@dataclass(frozen=True)
class Example:
    """A question and its solution, once right and once with a mistake from step `first_wrong` on (from 0)."""

    question: str
    right: Sequence[str]
    wrong: Sequence[str]
    first_wrong: int


@dataclass(frozen=True)
class Reading:
    """What a verifier had its model read, where, and the logits there."""

    token_ids: tuple[int, ...]
    ends: tuple[int, ...]
    rows: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Listening(MeteredModel):
    """A metered handle that remembers what is read through it."""

    heard: list[Reading] = field(default_factory=list)

    async def read(
        self, token_ids: Sequence[int], ends: Sequence[int], *, num_known: int = 0
    ) -> list[tuple[float, ...]]:
        """Read and remember."""
        rows = await super().read(token_ids, ends, num_known=num_known)
        self.heard.append(Reading(tuple(token_ids), tuple(ends[num_known:]), tuple(rows)))
        return rows


@dataclass(frozen=True)
class Examined:
    """The scores of one solution, and everything that was read for them."""

    scores: tuple[float, ...]
    readings: tuple[Reading, ...]


async def examine(
    verifier: Verifier, roles: Mapping[str, Served], question: str, steps: Sequence[str]
) -> Examined:
    """Have `verifier` score one solution, from nothing known."""
    llm = Listening(roles, Meter("example", time.monotonic), Task(), run_seed=0)
    problem = Problem("example", question, "")
    if verifier.scores_steps:
        scores = tuple(await verifier.score_steps(problem, steps, llm, num_known=0))
    else:
        score = await verifier.score_trace(problem, llm.start(problem) + "".join(steps), llm)
        scores = () if score is None else (score,)
    return Examined(scores, tuple(llm.heard))


async def largest_difference(readings: Sequence[Reading], reference: ReadingEngine) -> float:
    """Return how far, at most, logits are from those that `reference` reads at the same places."""
    largest = 0.0
    for reading in readings:
        pooled = await reference.pool(PoolingRequest(reading.token_ids))
        for end, row in zip(reading.ends, reading.rows, strict=True):
            largest = max(largest, *(abs(a - b) for a, b in zip(row, pooled.rows[end], strict=True)))
    return largest


def mistakes(example: Example, right: Examined, wrong: Examined) -> list[str]:
    """Return what is wrong with the scores themselves."""
    found = []
    for name, steps, examined in (("right", example.right, right), ("wrong", example.wrong, wrong)):
        if len(examined.scores) not in (1, len(steps)):
            found.append(f"{len(examined.scores)} scores for the {len(steps)} steps of the {name} solution")
    if found:
        return found
    scores = [score for examined in (right, wrong) for score in examined.scores]
    if not all(0 <= score <= 1 for score in scores):
        found.append(f"scores outside [0, 1]: {[s for s in scores if not 0 <= s <= 1]}")
    if len(set(scores)) == 1:
        found.append(f"every score is {scores[0]:.4f}: something else is read than the scores")
    place = example.first_wrong if len(wrong.scores) > 1 else 0
    if wrong.scores[place] >= right.scores[place]:
        found.append(
            f"the wrong solution is not worse where it goes wrong (score {place + 1}): "
            f"{wrong.scores[place]:.4f} against {right.scores[place]:.4f}"
        )
    return found
