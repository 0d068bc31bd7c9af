"""Self-aggregation answers with all solutions before it."""

import pytest

from strategies.self_aggregation import SelfAggregation
from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.records import Problem

PROBLEM = Problem("p", "6 x 7 ?", "42")
STRATEGY = SelfAggregation(n=3, prompt="{question} Read: {solutions} And?")


async def test_the_last_answer_counts_and_the_candidates_were_read() -> None:
    says = [" a </think> so \\boxed{41}", " b </think> so \\boxed{41}", " c </think> so \\boxed{42}"]
    engine = ScriptedEngine({"": [*says, " </think> the third: \\boxed{42}"]})
    llm = metered(engine)
    attempt = await STRATEGY.solve(PROBLEM, llm, None)

    assert attempt.answer == "42"
    assert [candidate.answer for candidate in attempt.candidates] == ["41", "41", "42", "42"]
    last = engine.codec.decode(engine.requests[-1].prompt_ids)
    solutions = "Solution 1: so \\boxed{41} Solution 2: so \\boxed{41} Solution 3: so \\boxed{42}"
    assert " ".join(last.split()) == f"6 x 7 ? Read: {solutions} And? <ask>"
    assert [interim.answer for interim in llm.meter.interims] == ["41"] * 3  # stands while the model reads


async def test_without_a_last_answer_the_vote_decides() -> None:
    engine = ScriptedEngine({"": [" </think> \\boxed{41}"] * 3 + [" still thinking"]})
    attempt = await STRATEGY.solve(PROBLEM, metered(engine), None)
    assert attempt.answer == "41"


async def test_solutions_that_fill_the_models_length_are_voted_on() -> None:
    engine = ScriptedEngine({"": [" </think> so \\boxed{41}"] * 3}, max_model_len=16)
    strategy = SelfAggregation(n=3, prompt="{question} Read: {solutions} And?", max_tokens=9)
    attempt = await strategy.solve(PROBLEM, metered(engine), None)
    assert (attempt.answer, len(engine.requests)) == ("41", 3)


def test_a_prompt_that_shows_no_solutions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"strategy\.prompt must contain \{solutions\}"):
        SelfAggregation(prompt="{question}")
