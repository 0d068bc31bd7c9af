"""What a strategy made of others asks of them before a run: their checks, and what they may spend.

Knows no strategy by name; each is asked only for what it has.
"""

from __future__ import annotations

from collections.abc import Collection

from tts_eval.model import Model
from tts_eval.protocols import ChecksModel, ChecksParts, DeclaresSpend, Strategy
from tts_eval.spend import MaxSpend


def check_model(part: object, model: Model, *, room_tokens: int) -> None:
    """Let `part` refuse the model with a ValueError, if it has anything to say on it."""
    if isinstance(part, ChecksModel):
        part.check_model(model, room_tokens=room_tokens)


def check_parts(
    strategy: Strategy, *, verifier: object, roles: Collection[str], is_speculative: bool
) -> None:
    """Let `strategy` refuse the rest of its run with a ValueError, if it has anything to say on it."""
    if isinstance(strategy, ChecksParts):
        strategy.check_parts(verifier=verifier, roles=roles, is_speculative=is_speculative)


def max_spend(strategy: Strategy, *, room_tokens: int) -> MaxSpend | None:
    """Return the most that `strategy` may spend on a problem, None where it does not tell."""
    return strategy.max_spend(room_tokens=room_tokens) if isinstance(strategy, DeclaresSpend) else None
