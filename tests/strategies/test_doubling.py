"""The budget doubles as long as that makes the model surer."""

from dataclasses import replace

import pytest

from strategies.doubling import Doubling
from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.records import Attempt, Problem
from tts_eval.requests import Completion, Request

LEAD_IN = " </think> \\boxed{"
SCRIPT = {
    "": [" one two"],
    " one two": [" three four"],
    " one two three four": [" five six seven eight"],
    f" one two{LEAD_IN}": ["7}"],
    f" one two three four{LEAD_IN}": ["42}"],
    f" one two three four five six seven eight{LEAD_IN}": ["41}"],
}
LOGPROBS = {"7}": -1.0, "42}": -0.1, "41}": -0.5}


class Going(ScriptedEngine):
    """Never ends a thought by itself; the log-probability of what it says in a box is scripted."""

    async def generate(self, request: Request) -> Completion:
        whole = await super().generate(request)
        logprobs = tuple(LOGPROBS.get(self.codec.decode([i]), 0.0) for i in whole.token_ids)
        ends = whole.text in LOGPROBS
        return replace(whole, finish=whole.finish if ends else "length", logprobs=logprobs)  # type: ignore[arg-type]


async def doubling(**settings: float) -> tuple[Attempt, Going]:
    engine = Going(SCRIPT)
    strategy = Doubling(first_tokens=2, **settings)  # type: ignore[arg-type]
    return await strategy.solve(Problem("p", "6 x 7?", "42"), metered(engine), None), engine


async def test_it_stops_when_twice_the_thought_makes_it_no_surer() -> None:
    attempt, engine = await doubling()
    assert attempt.answer == "42"  # e^-1 rose to e^-.1, which fell to e^-.5
    assert attempt.candidates[0].score == pytest.approx(0.9048, abs=1e-4)
    assert [r.max_tokens for r in engine.requests] == [2, 20, 2, 20, 4, 20]


async def test_a_rise_may_be_too_small_to_go_on() -> None:
    attempt, engine = await doubling(min_rise=0.6)
    assert attempt.answer == "42"
    assert len(engine.requests) == 4


async def test_a_thought_that_ends_by_itself_answers_for_itself() -> None:
    engine = ScriptedEngine({"": [" one </think> \\boxed{40}"]})
    attempt = await Doubling(first_tokens=8).solve(Problem("p", "6 x 7?", "42"), metered(engine), None)
    assert attempt.answer == "40"
    assert len(engine.requests) == 1
