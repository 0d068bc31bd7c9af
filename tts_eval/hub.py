"""Whether the Hugging Face hub answers, found out once and quickly.

The loading libraries would ask an unreachable hub five times before they look into the user's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TIMEOUT_S = 10.0


def why_unreachable(ask: Callable[..., Any], repository: str) -> str:
    """Return why `ask(repository, timeout=…)` got no answer; "" if there was one, a refusal included."""
    try:
        ask(repository, timeout=TIMEOUT_S)
    except Exception as error:
        if getattr(error, "response", None) is None:
            return " ".join(str(error).split()) or type(error).__name__
    return ""
