"""Traces that the model was unsure of have no vote; online they are stopped."""

from dataclasses import replace

import pytest

from strategies.deepconf_offline import DeepConfOffline
from strategies.deepconf_online import DeepConfOnline
from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.protocols import Strategy
from tts_eval.records import Attempt, Finish, Problem
from tts_eval.requests import Completion, Request

CONFIDENCE = {" sure": 9.0, " so": 5.0, " hm": 1.0}  # of a word; of all others 6


class Confident(ScriptedEngine):
    """A scripted engine whose words have confidences."""

    async def generate(self, request: Request) -> Completion:
        whole = await super().generate(request)
        assert request.num_logprobs == 20
        words = [self.codec.decode([i]) for i in whole.token_ids]
        return replace(
            whole,
            logprobs=(0.0,) * len(words),
            confidences=tuple(CONFIDENCE.get(word, 6.0) for word in words),
        )


async def solve(strategy: Strategy, *replies: str) -> tuple[Attempt, Confident, int]:
    engine = Confident({"": replies})
    llm = metered(engine)
    attempt = await strategy.solve(Problem("p", "6 x 7?", "42"), llm, None)
    return attempt, engine, llm.meter.spend().num_generated_tokens


SURE = " sure sure </think> \\boxed{42}"
UNSURE = " hm hm </think> \\boxed{41}"


async def test_offline_the_surest_outvote_the_many() -> None:
    """Lowest of two words in a row: 6 for the sure trace (its answer), 1 for the others."""
    settings = {"n": 4, "window": 2, "measure": "lowest"}
    replies = (UNSURE, SURE, UNSURE, UNSURE)
    few, _, _ = await solve(DeepConfOffline(keep=0.1, **settings), *replies)  # type: ignore[arg-type]
    everyone, _, _ = await solve(DeepConfOffline(keep=1.0, **settings), *replies)  # type: ignore[arg-type]

    assert [c.score for c in few.candidates] == [1.0, 6.0, 1.0, 1.0]
    assert few.answer == "42"
    assert everyone.answer == "42"  # 6 weighs more than 1 + 1 + 1


async def test_offline_weights_add_up() -> None:
    settled = " so so </think> \\boxed{40}"
    strategy = DeepConfOffline(n=3, keep=1.0, window=2, measure="lowest")
    attempt, _, _ = await solve(strategy, settled, SURE, settled)
    assert attempt.answer == "40"  # 5 + 5 against 6


async def test_online_an_unsure_trace_is_stopped_and_has_no_vote() -> None:
    """Warm-up: 6 and 5; a share of .9 passes at 5.1. The third trace falls below it at its second word."""
    strategy = DeepConfOnline(n=4, num_warmup=2, keep=0.9, window=2, every=1, consensus=None)
    settled = " so so </think> \\boxed{40}"
    attempt, engine, num_tokens = await solve(strategy, SURE, settled, " hm hm hm hm hm hm", SURE)

    assert attempt.answer == "42"
    assert [c.answer for c in attempt.candidates] == ["42", None, None, "42"]
    assert attempt.candidates[2].text == " hm hm"
    assert num_tokens == 4 + 4 + 2 + 4
    assert len(engine.requests) == 4


async def test_online_looks_may_be_rare_and_the_trace_still_ends_at_the_same_word() -> None:
    strategy = DeepConfOnline(n=2, num_warmup=1, window=2, every=4, consensus=None)
    attempt, _, num_tokens = await solve(strategy, SURE, " sure hm hm hm hm hm hm hm")
    assert attempt.candidates[1].text == " sure hm"
    assert attempt.candidates[1].finish is None
    assert num_tokens == 4 + 4


async def test_offline_traces_without_an_answer_do_not_take_the_seats_of_the_surest() -> None:
    """The surest trace of eight was cut in its thinking; the seven others agree."""
    settled = " so so </think> \\boxed{40}"
    cut = " sure sure sure sure"
    attempt, _, _ = await solve(DeepConfOffline(n=8, keep=0.1, window=2, measure="mean"), cut, *[settled] * 7)
    assert attempt.candidates[0].answer is None
    assert attempt.answer == "40"


async def test_online_traces_without_an_answer_do_not_set_the_threshold() -> None:
    settled = " so so </think> \\boxed{40}"
    strategy = DeepConfOnline(n=4, num_warmup=2, keep=0.1, window=2, every=1, consensus=None)
    attempt, _, _ = await solve(strategy, " sure sure sure", settled, settled, " hm hm hm hm")
    assert attempt.answer == "40"
    assert [c.answer for c in attempt.candidates] == [None, "40", "40", None]


async def test_online_a_consensus_stops_what_still_runs() -> None:
    """Two of three weigh 12 of 18; with the fourth it is 18 of 24, with the sixth 30 of 36: five sixths."""
    strategy = DeepConfOnline(n=12, num_warmup=3, keep=1.0, window=2, every=1, consensus=0.8)
    other = " sure sure </think> \\boxed{41}"
    long = " sure" * 50 + " </think> \\boxed{41}"
    replies = (SURE, other, SURE, SURE, SURE, SURE, *[long] * 6)
    attempt, engine, num_tokens = await solve(strategy, *replies)
    assert attempt.answer == "42"
    assert len(attempt.candidates) == 6
    assert len(engine.requests) == 12
    assert num_tokens < 6 * 4 + 6 * 52  # the long ones were stopped, and what they had written is booked

    at_once, engine, _ = await solve(DeepConfOnline(n=12, num_warmup=2, window=2), SURE, SURE)
    assert (at_once.answer, len(engine.requests)) == ("42", 2)


async def test_online_all_warm_up_is_a_vote() -> None:
    attempt, _, _ = await solve(DeepConfOnline(n=2, num_warmup=2, keep=1.0, window=2), SURE, SURE)
    assert attempt.answer == "42"
    assert attempt.candidates[0].finish is Finish.END


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match=r"strategy\.num_warmup must be a whole number from 1 to 4, not 16"):
        DeepConfOnline(n=4)
    with pytest.raises(ValueError, match=r"strategy\.measure must be one of mean, tail, bottom, lowest"):
        DeepConfOffline(measure="median")
