"""A budget set from outside on every problem, whatever strategy solves it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from tts_eval import checks
from tts_eval.records import Finish


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


class Allowance:
    """Counts the policy's tokens as they come, calls that still run included.

    `cut` says which limit was met. A sample that runs when the last token has been spent is over it by
    what the engine generates until it is stopped; those tokens count.
    """

    def __init__(self, budget: Budget | None = None, *, declared_tokens: int | None = None) -> None:
        self.budget = budget or Budget()
        self.cut: Cut | None = None
        self.num_tokens = 0
        self._declared_tokens = declared_tokens
        self._tokens_of: dict[int, int] = {}
        self._used_up = asyncio.Event()

    def grant(self, max_tokens: int) -> int:
        """Return how many of `max_tokens` a call may generate.

        Raises BudgetSpent if there are none left, RuntimeError if the strategy said it would not ask again.
        """
        self.check()
        if self._declared_tokens is not None and self.num_tokens >= self._declared_tokens:
            raise RuntimeError(
                f"the strategy asks for more after all of the {self._declared_tokens} tokens that it declared"
            )
        if self.budget.max_tokens is None:
            return max_tokens
        left = self.budget.max_tokens - self.num_tokens
        if left < 1:
            self.end(Cut.TOKENS)
            raise BudgetSpent(f"the budget of {self.budget.max_tokens} tokens is spent")
        return min(max_tokens, left)

    def check(self) -> None:
        """Raise BudgetSpent if a limit has been met."""
        if self.cut is not None:
            raise BudgetSpent(f"the budget is spent: {self.cut}")

    def see(self, call_number: int, num_tokens: int, finish: Finish | None) -> None:
        """Take note that a call has generated `num_tokens` in all; `finish` is None while it runs."""
        self.num_tokens += num_tokens - self._tokens_of.get(call_number, 0)
        self._tokens_of[call_number] = num_tokens
        if self.budget.max_tokens is None or self.num_tokens < self.budget.max_tokens:
            return
        if finish is None:
            self.end(Cut.TOKENS)
        elif finish is Finish.LENGTH:  # its last token was the budget's: the strategy may still use the trace
            self.cut = self.cut or Cut.TOKENS

    def end(self, cut: Cut) -> None:
        """Let no call begin any more."""
        self.cut = self.cut or cut
        self._used_up.set()

    async def used_up(self) -> None:
        """Return when calls that still run have to be stopped."""
        await self._used_up.wait()
