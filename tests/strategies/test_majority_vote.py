"""A majority vote counts equivalent answers as one."""

import pytest

from strategies.budgeted_cot import BudgetedCot
from strategies.majority_vote import MajorityVote
from tts_eval.llm.scripted import MODEL, solve
from tts_eval.protocols import Setup


def saying(*answers: str) -> dict[str, list[str]]:
    return {"": [f" hm </think> \\boxed{{{answer}}}" for answer in answers]}


async def test_the_most_frequent_answer_wins() -> None:
    attempt, _, meter = await solve(MajorityVote(n=5), saying("41", "42", "40", "42", "41.5"))
    assert attempt.answer == "42"
    assert [c.answer for c in attempt.candidates] == ["41", "42", "40", "42", "41.5"]
    assert meter.spend().num_generated_tokens == 5 * 3


async def test_answers_count_by_value_not_by_spelling() -> None:
    attempt, _, _ = await solve(MajorityVote(n=5), saying("7", "1/2", "7", "\\frac{1}{2}", "0.5"))
    assert attempt.answer == "1/2"


async def test_a_tie_goes_to_the_answer_sampled_first() -> None:
    attempt, _, _ = await solve(MajorityVote(n=4), saying("3", "8", "8", "3"))
    assert attempt.answer == "3"


async def test_unparsed_answers_never_win() -> None:
    mute = {"": [" still thinking", " still thinking", " </think> \\boxed{42}"]}
    attempt, _, _ = await solve(MajorityVote(n=3), mute)
    assert attempt.answer == "42"
    nobody, _, _ = await solve(MajorityVote(n=2), {"": [" still thinking"]})
    assert nobody.answer is None


async def test_every_sample_has_a_seed_of_its_own_and_the_same_one_next_time() -> None:
    _, first, _ = await solve(MajorityVote(n=8, temperature=1.0), saying("1"))
    _, second, _ = await solve(MajorityVote(n=8, temperature=1.0), saying("1"))
    seeds = [request.seed for request in first.requests]
    assert len(set(seeds)) == 8
    assert seeds == [request.seed for request in second.requests]


async def test_the_standing_answer_is_noted_at_every_ballot() -> None:
    _, _, meter = await solve(MajorityVote(n=3), saying("1", "2", "2"))
    assert len(meter.interims) == 3
    assert meter.interims[-1].answer == "2"
    assert [i.at_s for i in meter.interims] == sorted(i.at_s for i in meter.interims)


def test_a_negative_n_is_refused() -> None:
    with pytest.raises(ValueError, match=r"strategy\.n must be a whole number from 1, not -1"):
        MajorityVote(n=-1)


async def test_another_strategy_may_cast_the_ballots() -> None:
    """Three voters think two tokens each, are cut, and answer; one more thinks less."""
    script = {
        "": [" one two three", " one two three", " one </think>"],
        " one two </think> \\boxed{": ["7}", "8}"],
        " one </think>": [" \\boxed{8}"],
    }
    sampler = BudgetedCot(max_thinking_tokens=2, max_answer_tokens=5)
    attempt, _, meter = await solve(MajorityVote(n=3, sampler=sampler), script)
    assert attempt.answer == "8"
    assert sorted(str(candidate.answer) for candidate in attempt.candidates) == ["7", "8", "8"]
    assert meter.spend().num_generated_tokens == 2 + 2 + 2 + 3
    assert len(meter.interims) == 3  # the vote's, not those of its parts


def test_a_sampler_brings_its_own_sampling() -> None:
    with pytest.raises(ValueError, match=r"are the sampler's where there is a strategy\.sampler"):
        MajorityVote(temperature=0.5, sampler=BudgetedCot())
    assert MajorityVote(n=3, sampler=BudgetedCot(max_thinking_tokens=5)).max_spend(900) is not None
    with pytest.raises(ValueError, match="the model's length leaves 90"):
        MajorityVote(sampler=BudgetedCot()).check(Setup(MODEL, 90))
