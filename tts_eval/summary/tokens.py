"""How many tokens went through the models, by kind and by role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.rundir.outcome import Outcome

OF_ROLES = ("prompt", "cached", "generated", "thinking")
KINDS = (*OF_ROLES, "verifier", "draft")


def token_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the sums over problems by kind, by role, and of what the verifier left unread or unscored.

    What the roles have of a kind adds up to its sum.
    """
    spends = [outcome.spend for outcome in outcomes]
    roles = sorted({role for spend in spends for role in spend.by_role})
    return {
        "tokens": {
            **{kind: sum(getattr(spend, f"num_{kind}_tokens") for spend in spends) for kind in KINDS},
            "by_role": {
                role: {
                    kind: sum(
                        getattr(spend.by_role[role], f"num_{kind}_tokens")
                        for spend in spends
                        if role in spend.by_role
                    )
                    for kind in OF_ROLES
                }
                for role in roles
            },
        },
        "num_unread_steps": sum(spend.num_unread_steps for spend in spends),
        "num_unscored_traces": sum(spend.num_unscored_traces for spend in spends),
    }
