"""How long single calls took, by the role of the model they went to.

Knows no problem.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.measuring import latency
from tts_eval.measuring.gaps import gap_spread
from tts_eval.spend import Call
from tts_eval.statistics.spread import Spread

TIMES: dict[str, Callable[[Call], float | None]] = {
    "e2e_s": latency.e2e_s,
    "ttft_s": latency.ttft_s,
    "ttfat_s": latency.ttfat_s,
    "queue_s": lambda call: call.queue_s,
    "prefill_s": lambda call: call.prefill_s,
    "decode_s": lambda call: call.decode_s,
    "tpot_excl_first_s": latency.tpot_excl_first_s,
    "e2e_per_token_s": latency.e2e_per_token_s,
}


def call_figures(calls: Sequence[Call]) -> dict[str, Any]:
    """Return how each time spreads over the calls of a role, and over all its gaps between tokens."""
    roles = sorted({call.role for call in calls})
    return {"calls": {role: _of_role([call for call in calls if call.role == role]) for role in roles}}


def _of_role(calls: Sequence[Call]) -> dict[str, Any]:
    spreads = {name: Spread.of(map(time_of, calls)) for name, time_of in TIMES.items()}
    spreads["inter_token_s"] = gap_spread(call.gap_counts for call in calls if call.gap_counts is not None)
    return {
        "num_calls": len(calls),
        **{name: None if spread is None else asdict(spread) for name, spread in spreads.items()},
    }
