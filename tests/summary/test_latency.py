"""Neither a deadline nor a failure makes a latency look better; worked out on paper."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.summary.outcomes import call, outcome
from tts_eval.measuring.budget import Cut
from tts_eval.records import Attempt, Finish
from tts_eval.rundir.schema import plain
from tts_eval.summary.calls import call_figures
from tts_eval.summary.latency import latency_figures
from tts_eval.summary.lengths import length_figures
from tts_eval.summary.throughput import throughput_figures

SERVED = [
    call("a", "policy", 0.0, 2.0, prompt=10, generated=20, first_token_s=0.5, decode_s=1.5),
    call("b", "policy", 0.0, 4.0, prompt=30, generated=40, first_token_s=1.0, decode_s=3.0),
]
UNSERVED = [
    call(name, "policy", 0.0, 9.0, prompt=0, generated=0, queue_s=None, finish=Finish.ABORT) for name in "cde"
]
CALLS = [*SERVED, *UNSERVED]


def test_calls_that_never_got_a_token_waited_at_least_as_long_as_they_were_in_flight() -> None:
    policy = plain(call_figures(CALLS))["policy"]

    assert policy["num_aborted"] == 3
    for name in ("ttft_s", "queue_s", "e2e_s"):
        assert (policy[name]["n"], policy[name]["num_censored"], policy[name]["p50"]) == (5, 3, None)
    assert (policy["decode_s"]["n"], policy["decode_s"]["num_censored"]) == (2, 0)


def test_problems_that_the_deadline_cut_off_have_no_time_to_answer() -> None:
    solved = [outcome(name, CALLS, is_correct=True) for name in "ab"]
    cut = [replace(outcome(name, CALLS, is_correct=False), cut=Cut.DEADLINE) for name in "cde"]
    found = plain(latency_figures([*solved, *cut], is_open=False))

    assert (found["tta_s"]["n"], found["tta_s"]["num_censored"], found["tta_s"]["p50"]) == (5, 3, None)
    assert (found["ttft_s"]["num_censored"], found["ttft_s"]["p90"]) == (3, None)
    assert found["tta_s_mean_ci95"] is None
    standing = [replace(each, attempt=Attempt("1", ())) for each in cut]
    answered = plain(latency_figures([*solved, *standing], is_open=False))
    assert (answered["tta_s"]["num_censored"], answered["tta_s"]["p50"]) == (0, 9.0)
    assert answered["ttft_s"]["num_censored"] == 3  # an answer stood, but no token of these came


def test_a_failed_problem_stands_apart() -> None:
    solved = outcome("b", CALLS, is_correct=True)
    failed = replace(outcome("a", CALLS, is_correct=False), error="ZeroDivisionError: no")
    found = plain(latency_figures([solved, failed], is_open=False))

    assert (found["tta_s"]["n"], found["tta_s"]["num_censored"], found["tta_s"]["p50"]) == (2, 1, 4.0)
    assert found["idle_s"]["n"] == found["critical_path"]["decode_s"]["n"] == 1
    assert found["failed"]["num_problems"] == 1
    assert (found["failed"]["after_s"]["p50"], found["failed"]["num_generated_tokens"]) == (2.0, 20)


def test_lengths_of_prompts_and_outputs() -> None:
    found = plain(
        length_figures([*CALLS, call("f", "policy", 0.0, 1.0, prompt=5, generated=30, finish=Finish.ABORT)])
    )

    assert (found["prompt_tokens"]["n"], found["prompt_tokens"]["mean"]) == (3, 15.0)
    assert (found["output_tokens"]["n"], found["output_tokens"]["num_censored"]) == (6, 4)


def test_throughput_per_gpu_and_per_user() -> None:
    """40 prompt and 60 generated tokens in 4 s on two GPUs, with 1.5 problems in flight."""
    solved = [outcome(name, SERVED, is_correct=True) for name in "ab"]
    found = plain(throughput_figures(solved, 4.0, gpu_s=8.0, mean_in_flight=1.5))

    assert found == pytest.approx(
        {
            "problems_per_s": 0.5,
            "generated_tokens_per_s": 15.0,
            "input_tokens_per_s": 10.0,
            "total_tokens_per_s": 25.0,
            "generated_tokens_per_s_per_gpu": 7.5,
            "generated_tokens_per_s_per_user": 10.0,
        }
    )
    assert set(plain(throughput_figures([], 0.0, gpu_s=0.0, mean_in_flight=None)).values()) == {None}
