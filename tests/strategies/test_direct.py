"""Direct prompting answers without a thought."""

from dataclasses import replace

import pytest

from strategies.direct import Direct
from strategies.majority_vote import MajorityVote
from tts_eval.llm.scripted import MODEL, solve
from tts_eval.protocols import Setup


async def test_the_answer_is_opened_for_the_model() -> None:
    attempt, engine, meter = await solve(Direct(max_tokens=4), {" </think>\\boxed{": ["42}"]})
    assert attempt.answer == "42"
    assert engine.requests[0].max_tokens == 4
    spend = meter.spend()
    assert (spend.num_generated_tokens, spend.num_thinking_tokens) == (1, 0)


async def test_the_template_switches_thinking_off() -> None:
    attempt, _, meter = await solve(Direct(way="template"), {" </think>": [" it is \\boxed{42}"]})
    assert attempt.answer == "42"
    assert meter.spend().num_thinking_tokens == 0


async def test_a_solution_without_thinking_is_not_cut() -> None:
    written = " so" * 700 + " it is \\boxed{42}"
    attempt, _, _ = await solve(Direct(way="template"), {" </think>": [written]})
    assert attempt.answer == "42"
    voted, _, _ = await solve(
        MajorityVote(n=2, sampler=Direct(way="template", temperature=None)), {" </think>": [written]}
    )
    assert voted.answer == "42"


def test_a_way_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot switch its thinking off; use strategy\.way=lead_in"):
        Direct(way="template").check(Setup(MODEL, 900))
    is_off = replace(MODEL, chat_template_kwargs={"enable_thinking": False})
    with pytest.raises(ValueError, match=r"where that has done so, use strategy=cot, otherwise"):
        Direct(way="template").check(Setup(is_off, 900))
    with pytest.raises(ValueError, match=r"'scripted' has no answer_lead_in; use strategy\.way=template"):
        Direct().check(Setup(replace(MODEL, answer_lead_in=""), 900))
    with pytest.raises(ValueError, match=r"strategy\.way must be one of template, lead_in, not 'fast'"):
        Direct(way="fast")
