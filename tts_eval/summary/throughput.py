"""How much was done per second, for all GPUs, for one of them, and for one user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.rundir.outcome import Outcome


def wall_seconds(outcomes: Sequence[Outcome]) -> float:
    """Add up, over the sessions, the time from the first arrival to the last answer."""
    total_s = 0.0
    for session in {outcome.session for outcome in outcomes}:
        spends = [outcome.spend for outcome in outcomes if outcome.session == session]
        total_s += max(s.finished_s for s in spends) - min(s.arrived_s for s in spends)
    return total_s


def throughput_figures(
    outcomes: Sequence[Outcome], held_s: float, *, gpu_s: float, mean_in_flight: float | None
) -> dict[str, Any]:
    """Return problems and tokens per second held, `held_s` (see `steadiness.held_by_session`) or `gpu_s`.

    Input tokens are the prompts of all roles, cached tokens included. A user is a problem in flight.
    """
    num_generated = sum(outcome.spend.num_generated_tokens for outcome in outcomes)
    num_input = sum(outcome.spend.num_prompt_tokens for outcome in outcomes)

    def per_s(amount: float) -> float | None:
        return amount / held_s if held_s else None

    return {
        "problems_per_s": per_s(len(outcomes)),
        "generated_tokens_per_s": per_s(num_generated),
        "input_tokens_per_s": per_s(num_input),
        "total_tokens_per_s": per_s(num_generated + num_input),
        "generated_tokens_per_s_per_gpu": num_generated / gpu_s if gpu_s else None,
        "generated_tokens_per_s_per_user": per_s(num_generated / mean_in_flight) if mean_in_flight else None,
    }
