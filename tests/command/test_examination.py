"""The check of a verifier tells every way of reading the wrong thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from tts_eval.command.examination import Examined, Example, examine, largest_difference, mistakes
from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Problem
from tts_eval.requests import Pooled, PoolingRequest
from tts_eval.toolkit.reward_heads import sigmoid, softmax

EXAMPLE = Example("1+1?", right=("a", "b"), wrong=("a", "c"), first_wrong=1)


@dataclass
class Positions(ScriptedEngine):
    """A reward model whose logits are a token's position, off by `error`, however far it reads."""

    error: float = 0.0

    async def pool(self, request: PoolingRequest) -> Pooled:
        rows = tuple((0.0, position + self.error) for position in range(len(request.token_ids)))
        return Pooled(rows)


@dataclass(frozen=True)
class EveryWord(Verifier):
    """Reads the token after the prompt for each step."""

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> list[float]:
        trace = llm.start(problem) + " ".join(steps)
        start = len(trace.prompt_ids)
        ends = [start + number for number in range(len(steps))]
        rows = await llm.read(trace.prompt_ids + trace.token_ids, ends, num_known=num_known)
        return [row[1] for row in rows]


def examined(*scores: float) -> Examined:
    return Examined(scores, ())


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ((0.9, 0.8), (0.9, 0.1), None),
        ((0.8,), (0.1,), None),
        ((0.9, 0.8, 0.7), (0.9, 0.1), "3 scores for the 2 steps of the right solution"),
        ((0.9, 0.8), (0.9, 1.1), "scores outside [0, 1]: [1.1]"),
        ((1.0, 1.0), (1.0, 1.0), "every score is 1.0000: something else is read"),
        ((0.9, 0.2), (0.9, 0.3), "not worse where it goes wrong (score 2): 0.3000 against 0.2000"),
    ],
)
def test_mistakes_are_told(right: tuple[float, ...], wrong: tuple[float, ...], says: str | None) -> None:
    found = mistakes(EXAMPLE, examined(*right), examined(*wrong))
    if says is None:
        assert found == []
    else:
        assert says in found[0]


async def test_the_reference_is_read_at_the_same_places() -> None:
    engine = Positions({})
    policy = metered(engine)
    seen = await examine(EveryWord(), policy.roles, "1+1?", ["one", "two"])

    [reading] = seen.readings
    assert seen.scores == tuple(float(end) for end in reading.ends)
    assert engine.codec.decode([reading.token_ids[end] for end in reading.ends]) == "one two"
    assert await largest_difference(seen.readings, Positions({})) == 0.0
    assert await largest_difference(seen.readings, Positions({}, error=0.5)) == pytest.approx(0.5)
    shifted = replace(reading, ends=tuple(end - 1 for end in reading.ends))
    assert await largest_difference([shifted], Positions({})) == 1.0


def test_heads() -> None:
    assert softmax([0.0, 0.0], 1) == 0.5
    assert softmax([1000.0, 0.0], 0) == 1.0
    assert sigmoid(0.0) == 0.5
    assert (sigmoid(1000.0), sigmoid(-1000.0)) == (1.0, 0.0)
