"""A weighted vote adds up what a verifier gives to equivalent answers."""

from dataclasses import replace

import pytest

from strategies.weighted_vote import WeightedVote
from tts_eval.llm.scripted import MODEL, ScriptedVerifier, solve
from tts_eval.protocols import Setup


def saying(*answers: str) -> dict[str, list[str]]:
    return {"": [f" hm </think> \\boxed{{{answer}}}" for answer in answers]}


async def test_two_doubtful_traces_lose_to_one_that_is_sure() -> None:
    verifier = ScriptedVerifier({"{41}": 0.3, "{42}": 0.9})
    attempt, _, meter = await solve(WeightedVote(n=3), saying("41", "42", "41"), verifier=verifier)
    assert attempt.answer == "42"  # 0.9 against 0.3 + 0.3
    assert [candidate.score for candidate in attempt.candidates] == [0.3, 0.9, 0.3]
    assert meter.spend().num_generated_tokens == 3 * 3


async def test_four_doubtful_traces_win_together_whatever_their_spelling() -> None:
    verifier = ScriptedVerifier({"{1/2}": 0.3, "{0.5}": 0.3, "{42}": 0.9})
    attempt, _, _ = await solve(
        WeightedVote(n=5), saying("1/2", "42", "0.5", "1/2", "0.5"), verifier=verifier
    )
    assert attempt.answer == "1/2"  # 1.2 against 0.9


async def test_the_scores_of_steps_make_one_weight() -> None:
    two_steps = {"": [" good\n\n bad </think> \\boxed{1}", " fair\n\n fair </think> \\boxed{2}"]}
    verifier = ScriptedVerifier({"good": 1.0, "bad": 0.2, "fair": 0.5})

    async def answer(aggregation: str) -> str | None:
        strategy = WeightedVote(n=2, aggregation=aggregation)
        attempt, _, _ = await solve(strategy, two_steps, verifier=verifier)
        assert attempt.candidates[0].step_scores == (1.0, 0.2)
        return attempt.answer

    assert await answer("min") == "2"  # 0.2 against 0.5
    assert await answer("mean") == "1"  # 0.6 against 0.5
    assert await answer("last") == "2"
    assert await answer("product") == "2"  # 0.2 against 0.25
    assert await answer("max") == "1"


async def test_an_unparsed_answer_has_no_vote_however_sure() -> None:
    verifier = ScriptedVerifier({"{42}": 0.1, "still": 1.0})
    script = {"": [" still thinking", " </think> \\boxed{42}"]}
    attempt, _, meter = await solve(WeightedVote(n=2), script, verifier=verifier)
    assert attempt.answer == "42"
    assert [interim.answer for interim in meter.interims][-1] == "42"


def test_without_a_verifier_it_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"strategy=weighted_vote needs a verifier: choose one with verifier="
    ):
        WeightedVote().check(Setup(replace(MODEL, temperature=0.6), 900))
    with pytest.raises(
        ValueError, match=r"strategy\.aggregation must be one of min, product, last, mean, max"
    ):
        WeightedVote(aggregation="median")
