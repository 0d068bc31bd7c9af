"""How many tokens went through the models.

Knows no time; FLOPs are counted elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.running.outcome import Outcome

KINDS = ("prompt", "cached", "generated", "thinking", "verifier", "draft")


def token_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the sums over problems by kind, and of what the verifier left unread or unscored."""
    return {
        "tokens": {
            kind: sum(getattr(outcome.spend, f"num_{kind}_tokens") for outcome in outcomes) for kind in KINDS
        },
        "num_unread_steps": sum(outcome.spend.num_unread_steps for outcome in outcomes),
        "num_unscored_traces": sum(outcome.spend.num_unscored_traces for outcome in outcomes),
    }
