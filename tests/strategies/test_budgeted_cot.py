"""Budget forcing ends thinking that is too long, and lengthens thinking that is too short."""

from dataclasses import replace

import pytest

from strategies.budgeted_cot import BudgetedCot
from tests.scripted import MODEL, solve

LEAD_IN = " </think> \\boxed{"


async def test_a_thought_that_ends_in_time_is_left_alone() -> None:
    script = {"": [" six sevens </think> gone"], " six sevens </think>": [" \\boxed{42}"]}
    attempt, engine, meter = await solve(BudgetedCot(max_thinking_tokens=10), script)
    assert attempt.answer == "42"
    assert len(engine.requests) == 2
    assert meter.spend().num_generated_tokens == 3 + 1


async def test_a_thought_at_its_cap_is_ended_and_made_to_answer() -> None:
    script = {"": [" one two three four"], f" one two{LEAD_IN}": ["42}"]}
    attempt, engine, meter = await solve(BudgetedCot(max_thinking_tokens=2, max_answer_tokens=5), script)
    assert attempt.answer == "42"
    assert [request.max_tokens for request in engine.requests] == [2, 5]
    spend = meter.spend()
    assert (spend.num_generated_tokens, spend.num_thinking_tokens) == (3, 2)  # the lead-in was not generated


async def test_wait_takes_the_place_of_the_end_marker_and_the_budget_counts_on() -> None:
    script = {
        "": [" forty </think>"],
        " forty Wait": [" two </think>"],
        " forty Wait two </think>": [" \\boxed{42}"],
    }
    attempt, engine, _ = await solve(BudgetedCot(max_thinking_tokens=10, max_waits=1), script)
    assert attempt.answer == "42"
    assert [request.max_tokens for request in engine.requests[:2]] == [10, 8]  # "forty", "Wait" are spent


async def test_no_wait_where_no_budget_is_left_for_more() -> None:
    script = {"": [" forty </think>"], " forty </think>": [" \\boxed{40}"]}
    attempt, engine, _ = await solve(BudgetedCot(max_thinking_tokens=2, max_waits=6), script)
    assert attempt.answer == "40"
    assert len(engine.requests) == 2


async def test_a_model_that_ends_its_turn_while_thinking_is_not_asked_again() -> None:
    attempt, engine, _ = await solve(BudgetedCot(max_thinking_tokens=9), {"": [" I give up"]})
    assert attempt.answer is None
    assert len(engine.requests) == 1


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a model that thinks"):
        mute = replace(MODEL, thinking_start=None, thinking_end=None)
        BudgetedCot().check_model(mute, room_tokens=900)
    with pytest.raises(ValueError, match="is 1096 tokens; the model's length leaves 900"):
        BudgetedCot(max_thinking_tokens=1000).check_model(MODEL, room_tokens=900)
    with pytest.raises(ValueError, match=r"strategy\.max_waits must be a whole number from 0, not -1"):
        BudgetedCot(max_waits=-1)
