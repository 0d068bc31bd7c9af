"""What a problem was allowed, what its strategy said it may spend, and how many were cut short.

Knows no strategy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tts_eval.measuring.budget import Cut
from tts_eval.rundir.outcome import Outcome


def budget_figures(outcomes: Sequence[Outcome], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return budget and declared spend as the manifest has them, and how many each limit cut."""
    return {
        "budget": manifest["budget"],
        "max_spend": manifest["max_spend"],
        "num_cut": {str(cut): sum(outcome.cut is cut for outcome in outcomes) for cut in Cut},
    }
