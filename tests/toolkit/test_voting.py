"""Votes on paper."""

import asyncio
from collections.abc import Sequence

import pytest

from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.records import Candidate
from tts_eval.toolkit.voting import (
    agreement,
    best_scored,
    beta_confidence,
    draw_and_choose,
    plurality,
    weighted_plurality,
)

ANSWERS = ["1/2", None, "7", "0.5", "7", None]


async def test_equivalent_answers_count_together_and_the_first_spelling_stands() -> None:
    llm = metered(ScriptedEngine({}))
    assert await plurality(llm, ANSWERS) == "1/2"  # two each: the one given first
    assert await weighted_plurality(llm, ANSWERS, [0.1, 9.0, 0.3, 0.1, 0.1, 9.0]) == "7"
    assert await weighted_plurality(llm, ANSWERS, [0.5, 9.0, 0.5, 0.5, 0.5, 9.0]) == "1/2"
    assert await agreement(llm, ANSWERS) == pytest.approx(2 / 6)
    for nobody in ([], [None, None]):
        assert await plurality(llm, nobody) is None
        assert await weighted_plurality(llm, nobody, [1.0] * len(nobody)) is None
        assert await agreement(llm, nobody) == 0.0


def test_the_best_score_of_a_parsed_answer() -> None:
    assert best_scored(ANSWERS, [0.2, 1.0, 0.4, 0.9, 0.9, 1.0]) == "0.5"
    assert best_scored([None], [1.0]) is None


def test_confidence_in_the_lead_after_few_draws() -> None:
    """Unanimous: 1 - 2^-(n+1). After 4 to 1 the chance is 1 - 7/64, after equal counts one half."""
    unanimous = [beta_confidence(n, 0) for n in (1, 2, 3, 4)]
    assert unanimous == pytest.approx([0.75, 0.875, 0.9375, 0.96875])
    assert beta_confidence(4, 1) == pytest.approx(1 - 7 / 64)
    assert beta_confidence(3, 3) == pytest.approx(0.5)


async def test_a_slow_choice_among_few_does_not_displace_a_quick_one_among_more() -> None:
    """The choice among the first candidate alone takes until both are in."""
    llm = metered(ScriptedEngine({}))
    answers, both_are_in = iter(["1", "2"]), asyncio.Event()

    async def draw() -> Candidate:
        return Candidate(next(answers), "", 1, None)

    async def choose(candidates: Sequence[Candidate]) -> str | None:
        if len(candidates) == 1:
            await both_are_in.wait()
        both_are_in.set()
        return candidates[-1].answer

    attempt = await draw_and_choose(llm, 2, draw, choose)
    assert attempt.answer == "2"
    assert [interim.answer for interim in llm.meter.interims] == ["2"]
