"""One problem's account, worked out on paper."""

import pytest

from tts_eval.measuring.meter import Meter
from tts_eval.records import Finish
from tts_eval.spend import Call

CALL = Call(
    problem_id="p",
    number=0,
    role="policy",
    seed=1,
    num_prompt_tokens=10,
    num_cached_tokens=4,
    num_generated_tokens=5,
    finish=Finish.END,
    submitted_s=3.0,
    finished_s=8.0,
    queue_s=0.5,
    first_token_s=4.0,
    prefill_s=0.5,
    decode_s=2.0,
)


def call(**changes: object) -> Call:
    fields = {name: getattr(CALL, name) for name in Call.__slots__}
    return Call(**{**fields, **changes})


def clock(*times_s: float) -> Meter:
    ticks = iter(times_s)
    return Meter("p", lambda: next(ticks))


def test_two_samples_of_one_problem() -> None:
    """Arrives at 2, scheduled at 3.5, first tokens at 4 and 5, answered at 9."""
    meter = clock(2.0, 9.0)
    meter.add(call(num_thinking_tokens=3))
    meter.add(call(number=1, first_token_s=5.0, queue_s=1.5, decode_s=4.0, num_thinking_tokens=2))
    spend = meter.spend()
    assert (spend.ttft_s, spend.tta_s, spend.queue_s) == (2.0, 7.0, 1.5)
    assert (spend.num_calls, spend.calls_s) == (2, 10.0)
    assert spend.tpot_excl_first_s == pytest.approx((2.0 / 4 + 4.0 / 4) / 2)
    assert (spend.num_prompt_tokens, spend.num_cached_tokens) == (20, 8)
    assert (spend.num_generated_tokens, spend.num_thinking_tokens) == (10, 5)
    assert spend.ttfat_s is None  # nobody saw when the thinking ended


def test_tokens_of_every_role_count_and_the_verifier_gives_no_first_token() -> None:
    meter = clock(0.0, 9.0)
    meter.add(call())
    meter.add(call(role="verifier", num_prompt_tokens=100, num_generated_tokens=0, first_token_s=1.0))
    meter.add(call(role="draft", num_prompt_tokens=7, num_generated_tokens=3))
    spend = meter.spend()
    assert (spend.num_generated_tokens, spend.num_verifier_tokens, spend.num_draft_tokens) == (8, 100, 10)
    assert {role: tokens.num_generated_tokens for role, tokens in spend.by_role.items()} == {
        "policy": 5,
        "verifier": 0,
        "draft": 3,
    }
    assert (
        spend.num_prompt_tokens == sum(tokens.num_prompt_tokens for tokens in spend.by_role.values()) == 117
    )
    assert spend.ttft_s == 4.0
    assert spend.num_calls == 3


def test_the_first_answer_token_is_the_earliest_one_known() -> None:
    meter = clock(1.0, 9.0)
    meter.add(call(first_answer_token_s=7.0))
    meter.add(call(first_answer_token_s=6.0))
    meter.add(call())
    assert meter.spend().ttfat_s == 5.0


def test_times_count_from_the_arrival_even_if_it_was_noticed_late() -> None:
    ticks = iter([2.0, 9.0])
    meter = Meter("p", lambda: next(ticks), arrived_s=1.5)
    meter.add(call())
    spend = meter.spend()
    assert (spend.arrived_s, spend.late_s, spend.ttft_s, spend.tta_s) == (1.5, 0.5, 2.5, 7.5)


def test_no_call_no_times() -> None:
    spend = clock(0.0, 1.0).spend()
    assert (spend.ttft_s, spend.queue_s, spend.tpot_excl_first_s, spend.num_calls) == (None, None, None, 0)
