"""How long problems took, from their arrival, and where that time went.

Knows no price and no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.running.outcome import Outcome
from tts_eval.spend import CriticalPath
from tts_eval.statistics.intervals import mean_ci95
from tts_eval.statistics.spread import Spread

TIMES = (
    "ttft_s",
    "ttfat_s",
    "tta_s",
    "tpot_excl_first_s",
    "e2e_per_token_s",
    "queue_s",
    "late_s",
    "idle_s",
    "barrier_wait_s",
)
PARTS = CriticalPath.__slots__


def latency_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return how each time, and each part of the critical path, spreads over problems."""
    spends = [outcome.spend for outcome in outcomes]
    return {
        **{name: _spread([getattr(spend, name) for spend in spends]) for name in TIMES},
        "tta_s_mean_ci95": mean_ci95([spend.tta_s for spend in spends]),
        "critical_path": {
            part: _spread([getattr(spend.critical_path, part) for spend in spends]) for part in PARTS
        },
    }


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    spread = Spread.of(values)
    return None if spread is None else asdict(spread)
