"""What the engine did while the load was fully up: throughput without the run's ends.

Knows no engine: tokens are placed in time by the calls that brought them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.running.outcome import Outcome
from tts_eval.spend import Call

Window = tuple[float, float]  # seconds on the clock of a session


def longest_session(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the problems of the session with the most of them: each session has a clock of its own."""
    sessions = [outcome.session for outcome in outcomes]
    longest = max(set(sessions), key=sessions.count, default=None)
    return [outcome for outcome in outcomes if outcome.session == longest]


def steady_window(outcomes: Sequence[Outcome]) -> Window | None:
    """Return the time from the first answer to the last arrival; None if the first answer came after it.

    Before it a closed loop is still filling up and an open one has only begun to queue; after it places of
    the closed loop stay empty, and nobody comes any more.
    """
    if not outcomes:
        return None
    first_answer_s = min(outcome.spend.finished_s for outcome in outcomes)
    last_arrival_s = max(outcome.spend.arrived_s for outcome in outcomes)
    return (first_answer_s, last_arrival_s) if first_answer_s < last_arrival_s else None


def steady_figures(outcomes: Sequence[Outcome], calls: Sequence[Call], *, is_steady: bool) -> dict[str, Any]:
    """Return the throughput within the steady window; None for a load that does not press evenly."""
    inside = longest_session(outcomes)
    window = steady_window(inside) if is_steady else None
    if window is None:
        return dict.fromkeys(
            ("steady_window_s", "steady_problems_per_s", "steady_generated_tokens_per_s"), None
        )
    begin_s, end_s = window
    ids = {outcome.problem_id for outcome in inside}
    num_tokens = [_tokens_within(call, window) for call in calls if call.problem_id in ids]
    known = [num for num in num_tokens if num is not None]
    num_answers = sum(begin_s < outcome.spend.finished_s <= end_s for outcome in inside)
    width_s = end_s - begin_s
    return {
        "steady_window_s": window,
        "steady_problems_per_s": num_answers / width_s,
        "steady_generated_tokens_per_s": sum(known) / width_s if len(known) == len(num_tokens) else None,
    }


def _tokens_within(call: Call, window: Window) -> float | None:
    """Return how many of the policy's tokens fall into `window`, those after the first spread evenly."""
    if call.role != "policy" or call.num_generated_tokens == 0:
        return 0.0
    if call.first_token_s is None or call.decode_s is None:
        return None
    begin_s, end_s = window
    first_s, last_s = call.first_token_s, call.first_token_s + call.decode_s
    num_first = float(begin_s <= first_s < end_s)
    if call.decode_s == 0:
        return num_first * call.num_generated_tokens
    overlap_s = max(0.0, min(last_s, end_s) - max(first_s, begin_s))
    return num_first + (call.num_generated_tokens - 1) * overlap_s / call.decode_s
