"""A judge's grade is read from its words, and its words are charged to the verifier."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.scripted import ASK, ScriptedEngine, metered
from tts_eval.records import Problem
from verifiers.judge import Judge
from verifiers.yes_no import YesNo

PROBLEM = Problem("p", "What is 6 x 7?", "42")


@pytest.mark.parametrize(
    ("verdict", "score"),
    [
        (" Good. </think> Grade: 8", 0.8),
        (" Grade: 2? </think> No, Grade:10", 1.0),
        (" Grade: 11", 0.0),
        (" I cannot tell. </think>", 0.0),
    ],
)
async def test_the_last_grade_counts(verdict: str, score: float) -> None:
    policy = metered(engine := ScriptedEngine({"": [verdict]}))
    llm = replace(policy, roles={**policy.roles, "verifier": policy.roles["policy"]})
    trace = llm.start(PROBLEM) + " It is 42."

    assert await Judge().score_trace(PROBLEM, trace, llm) == score
    asked = engine.codec.decode(engine.requests[0].prompt_ids)
    assert "Problem:\nWhat is 6 x 7?\n\nSolution:\n It is 42." in asked
    assert "{" not in asked.removesuffix(ASK)
    assert [call.role for call in llm.meter.calls] == ["verifier"]


def test_a_question_without_the_trace_is_refused() -> None:
    with pytest.raises(ValueError, match=r"verifier.rubric must hold \{trace\}"):
        Judge(rubric="How good is {problem}?")
    with pytest.raises(ValueError, match=r"verifier.question must hold \{problem\}"):
        YesNo(question="Is {trace} right?")
