"""What the engine's gauges showed over a run.

Knows no engine and no single call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.requests import Gauges

RISING = (
    "num_generated_tokens",
    "num_preemptions",
    "num_prefix_queried_tokens",
    "num_prefix_hit_tokens",
    "num_drafts",
    "num_accepted_tokens",
)


def gauge_figures(readings: Sequence[tuple[int, Gauges]]) -> dict[str, Any]:
    """Add up, over the sessions, what the counters rose by; a session starts with a reading of its own."""
    rises = dict.fromkeys(RISING, 0)
    for session in {session for session, _ in readings}:
        series = [gauges for s, gauges in readings if s == session]
        for name in rises:
            rises[name] += getattr(series[-1], name) - getattr(series[0], name)
    queried, drafts = rises["num_prefix_queried_tokens"], rises["num_drafts"]
    return {
        "engine_generated_tokens": rises["num_generated_tokens"],
        "kv_cache_usage_peak": max((gauges.kv_cache_usage_peak for _, gauges in readings), default=None),
        "num_preemptions": rises["num_preemptions"],
        "prefix_cache_hit_rate": rises["num_prefix_hit_tokens"] / queried if queried else None,
        "mean_acceptance_length": 1 + rises["num_accepted_tokens"] / drafts if drafts else None,
    }
