"""How much was done per second of the run.

Knows no single problem's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.running.outcome import Outcome


def wall_seconds(outcomes: Sequence[Outcome]) -> float:
    """Add up, over the sessions, the time from the first arrival to the last answer."""
    total_s = 0.0
    for session in {outcome.session for outcome in outcomes}:
        spends = [outcome.spend for outcome in outcomes if outcome.session == session]
        total_s += max(s.finished_s for s in spends) - min(s.arrived_s for s in spends)
    return total_s


def throughput_figures(outcomes: Sequence[Outcome], held_s: float) -> dict[str, Any]:
    """Return problems and generated tokens per second of `held_s` (see `steadiness.held_seconds`)."""
    num_tokens = sum(outcome.spend.num_generated_tokens for outcome in outcomes)
    return {
        "problems_per_s": len(outcomes) / held_s if held_s else None,
        "generated_tokens_per_s": num_tokens / held_s if held_s else None,
    }
