"""A budget set from outside on every problem, whatever strategy solves it.

Knows no strategy and no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tts_eval import checks


class Cut(StrEnum):
    """Which limit of the budget ended an attempt."""

    TOKENS = "tokens"
    DEADLINE = "deadline"


class BudgetSpent(Exception):
    """The problem's budget is spent; its best interim answer counts."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one problem may use at most; None sets no limit.

    `max_tokens` counts all that the policy generates, `deadline_s` the seconds from the problem's arrival.
    """

    max_tokens: int | None = None
    deadline_s: float | None = None

    def __post_init__(self) -> None:
        checks.optional_whole_number("budget.max_tokens", self.max_tokens, minimum=1)
        if self.deadline_s is not None:
            checks.number("budget.deadline_s", self.deadline_s, minimum=1e-3)

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.max_tokens is not None or self.deadline_s is not None
