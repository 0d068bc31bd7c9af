"""How long problems took, from their arrival.

Knows no price and no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.records import Spend
from tts_eval.running.outcome import Outcome
from tts_eval.statistics.intervals import mean_ci95
from tts_eval.statistics.spread import Spread

TIMES: dict[str, Callable[[Spend], float | None]] = {
    "ttft_s": lambda spend: spend.ttft_s,
    "ttfat_s": lambda spend: spend.ttfat_s,
    "tta_s": lambda spend: spend.tta_s,
    "tpot_excl_first_s": lambda spend: spend.tpot_excl_first_s,
    "queue_s": lambda spend: spend.queue_s,
}


def latency_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return how each time spreads over problems."""
    spreads = {name: Spread.of(time_of(o.spend) for o in outcomes) for name, time_of in TIMES.items()}
    return {
        **{name: None if spread is None else asdict(spread) for name, spread in spreads.items()},
        "tta_s_mean_ci95": mean_ci95([outcome.spend.tta_s for outcome in outcomes]),
    }
