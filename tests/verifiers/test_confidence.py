"""What the policy's own log-probabilities say of a trace, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.records import Problem, Trace
from verifiers.confidence import DeepConf, MeanLogprob, SelfCertainty

PROBLEM = Problem("p", "What is 6 x 7?", "42")
LLM = metered(ScriptedEngine({}))


def trace_of(*, logprobs: tuple[float, ...] = (), confidences: tuple[float, ...] = ()) -> Trace:
    return replace(LLM.start(PROBLEM), logprobs=logprobs, confidences=confidences)


async def test_the_mean_log_probability_is_a_geometric_mean() -> None:
    trace = trace_of(logprobs=(math.log(0.5), math.log(0.125)))

    assert await MeanLogprob().score_trace(PROBLEM, trace, LLM) == pytest.approx(0.25)
    assert await MeanLogprob().score_trace(PROBLEM, trace_of(), LLM) == 0.0


@pytest.mark.parametrize(
    ("measure", "confidence"),
    [
        ("mean", 3.0),  # (1 + 2 + 6 + 4 + 2) / 5
        ("lowest", 1.5),  # of 1.5, 4, 5, 3
        ("bottom", 1.5),  # the lowest tenth of these, at least one
        ("tail", 3.0),  # 4, 2
    ],
)
async def test_group_confidences(measure: str, confidence: float) -> None:
    """The third token was appended: it has no confidence and is in no group."""
    trace = trace_of(confidences=(1.0, 2.0, 0.0, 6.0, 4.0, 2.0))
    score = await DeepConf(measure=measure, window=2).score_trace(PROBLEM, trace, LLM)

    assert score == pytest.approx(confidence / 100)


async def test_a_uniform_prediction_is_not_certain_at_all() -> None:
    """Of 4 tokens with 1/4 each the confidence is log 4; of one with 1 - 3e-6 it is large."""
    uniform, sharp = math.log(4), -(math.log(1 - 3e-6) + 3 * math.log(1e-6)) / 4
    verifier = SelfCertainty(num_logprobs=4)

    assert await verifier.score_trace(PROBLEM, trace_of(confidences=(uniform,) * 3), LLM) == pytest.approx(0)
    certainty = sharp - math.log(4)
    assert await verifier.score_trace(PROBLEM, trace_of(confidences=(sharp,)), LLM) == pytest.approx(
        certainty / 100
    )


async def test_a_trace_twice_as_sure_weighs_twice_as_much() -> None:
    sure, unsure = [
        await DeepConf(window=2).score_trace(PROBLEM, trace_of(confidences=(c,) * 4), LLM)
        for c in (16.0, 8.0)
    ]
    assert sure == pytest.approx(2 * unsure)
    [most] = [await DeepConf(window=2).score_trace(PROBLEM, trace_of(confidences=(200.0,) * 4), LLM)]
    assert most == 1.0


async def test_the_policy_is_asked_for_what_the_verifier_reads() -> None:
    llm = replace(metered(engine := ScriptedEngine({"": [" a </think> 42"]})), num_logprobs=20)
    await llm.extend(llm.start(PROBLEM))
    await llm.extend(llm.start(PROBLEM), num_logprobs=30)
    async with llm.stream(llm.start(PROBLEM), num_logprobs=1) as growing:
        assert [trace async for trace in growing]

    assert [request.num_logprobs for request in engine.requests] == [20, 30, 20]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            {"measure": "worst"},
            "verifier.measure must be one of mean, tail, bottom, lowest, not ",
        ),
        ({"window": 0}, "verifier.window must be a whole number from 1, not 0"),
        ({"num_logprobs": 1}, "verifier.num_logprobs must be a whole number from 2, not 1"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DeepConf(**wrong)  # type: ignore[arg-type]
