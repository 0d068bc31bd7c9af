"""Times of single calls, and how long the calls of one problem left it waiting."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from tts_eval.spend import Call


def ttft_s(call: Call) -> float | None:
    """Return submission → first token."""
    return None if call.first_token_s is None else call.first_token_s - call.submitted_s


def ttfat_s(call: Call) -> float | None:
    """Return submission → first token after the thinking part."""
    return None if call.first_answer_token_s is None else call.first_answer_token_s - call.submitted_s


def e2e_s(call: Call) -> float:
    """Return submission → end."""
    return call.finished_s - call.submitted_s


def tpot_excl_first_s(call: Call) -> float | None:
    """Return (last token - first token) / (tokens - 1), None where that is not known."""
    if call.decode_s is None or call.num_generated_tokens < 2:
        return None
    return call.decode_s / (call.num_generated_tokens - 1)


def e2e_per_token_s(call: Call) -> float | None:
    """Return (submission → end) / tokens, which some tools call TPOT; None without a token."""
    return e2e_s(call) / call.num_generated_tokens if call.num_generated_tokens else None


def idle_s(calls: Sequence[Call], *, begun_s: float, finished_s: float) -> float:
    """Return for how long between `begun_s` and `finished_s` no call was in flight."""
    busy_until_s, idle = begun_s, 0.0
    for call in sorted(calls, key=lambda call: call.submitted_s):
        idle += max(0.0, call.submitted_s - busy_until_s)
        busy_until_s = max(busy_until_s, call.finished_s)
    return idle + max(0.0, finished_s - busy_until_s)


def barrier_wait_s(calls: Sequence[Call], *, finished_s: float) -> float | None:
    """Return how long, on average, a call that had ended waited for the next submission or the answer.

    That is what samples wait for the slowest of their round. Branches that go on independently end one
    another's waits, so for them it is a lower bound. None without calls.
    """
    if not calls:
        return None
    submissions_s = [*sorted(call.submitted_s for call in calls), finished_s]
    waits_s = [
        submissions_s[min(bisect_left(submissions_s, call.finished_s), len(calls))] - call.finished_s
        for call in calls
    ]
    return sum(max(0.0, wait_s) for wait_s in waits_s) / len(calls)
