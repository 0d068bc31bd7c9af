"""An adaptive vote draws no more than it needs."""

import pytest

from strategies.adaptive_vote import AdaptiveVote
from tts_eval.llm.scripted import solve


def saying(*answers: str) -> dict[str, list[str]]:
    return {"": [f" hm </think> \\boxed{{{answer}}}" for answer in answers]}


async def drawn(strategy: AdaptiveVote, *answers: str) -> tuple[str | None, int]:
    attempt, engine, _ = await solve(strategy, saying(*answers))
    return attempt.answer, len(engine.requests)


async def test_four_of_one_mind_are_enough_and_three_are_not() -> None:
    """The Beta criterion's confidence after 1, 2, 3, 4 equal answers: .75, .875, .9375, .96875."""
    assert await drawn(AdaptiveVote(), "7") == ("7", 4)
    assert await drawn(AdaptiveVote(threshold=0.93), "7") == ("7", 3)


async def test_a_dissenter_costs_more_draws() -> None:
    """Counts (4, 1): 1 - 7/64 = .89; (5, 1): 1 - 8/128 = .9375; (6, 1): 1 - 9/256 = .965."""
    assert await drawn(AdaptiveVote(), "7", "8", "7", "7", "7", "7", "7") == ("7", 7)


async def test_a_vote_that_is_never_settled_is_a_majority_vote() -> None:
    assert await drawn(AdaptiveVote(max_n=6), "1", "2", "2", "3", "1", "2") == ("2", 6)


async def test_in_batches_it_looks_less_often_and_draws_a_few_more() -> None:
    _, engine, meter = await solve(AdaptiveVote(batch=3), saying("7"))
    assert len(engine.requests) == 6
    assert len(meter.interims) == 2
    assert await drawn(AdaptiveVote(batch=4, max_n=6), "1", "2") == ("1", 6)  # the last batch is what is left


async def test_a_unanimous_window_settles_the_vote_against_the_majority() -> None:
    """ESC windows of 2: (1 2), (1 3), (1 1) is unanimous; with (2 2) third, 2 wins though 1 leads."""
    esc = AdaptiveVote(criterion="esc", window=2, max_n=8)
    assert await drawn(esc, "1", "2", "1", "3", "1", "1") == ("1", 6)
    assert await drawn(esc, "1", "3", "1", "2", "2", "2") == ("2", 6)


async def test_without_a_unanimous_window_all_drawn_vote() -> None:
    esc = AdaptiveVote(criterion="esc", window=2, max_n=5)
    assert await drawn(esc, "1", "2", "2", "1", "2") == ("2", 5)


async def test_windows_are_drawn_at_once_in_batches() -> None:
    esc = AdaptiveVote(criterion="esc", window=2, batch=4, max_n=8)
    assert await drawn(esc, "1", "2", "3", "3", "5", "6") == ("3", 4)


async def test_unparsed_answers_settle_nothing() -> None:
    mute = {"": [" still thinking"]}
    for criterion in ("beta", "esc"):
        attempt, engine, _ = await solve(AdaptiveVote(criterion=criterion, max_n=7), mute)
        assert (attempt.answer, len(engine.requests)) == (None, 7)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"strategy\.criterion must be one of beta, esc, not 'entropy'"):
        AdaptiveVote(criterion="entropy")
    with pytest.raises(ValueError, match=r"strategy\.batch must be a whole number from 1 to 3, not 5"):
        AdaptiveVote(max_n=3, batch=5)
