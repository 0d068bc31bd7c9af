"""How problems arrive: one at a time, k in flight, or all at once.

Knows no problem and no engine; a problem has arrived when its arrival is called.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tts_eval import checks
from tts_eval.concurrency import together

Arrival = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Concurrent:
    """A closed loop with `k` problems in flight: the next one arrives when one is answered."""

    k: int

    def __post_init__(self) -> None:
        checks.whole_number("load.k", self.k, minimum=1)

    async def drive(self, arrivals: Sequence[Arrival]) -> None:
        """Let k users each bring one problem after another."""
        waiting = iter(arrivals)

        async def user() -> None:
            for arrive in waiting:
                await arrive()

        await together(user() for _ in range(min(self.k, len(arrivals))))


@dataclass(frozen=True)
class Sequential:
    """A single user: a closed loop with one problem in flight."""

    async def drive(self, arrivals: Sequence[Arrival]) -> None:
        """Bring one problem after another."""
        await Concurrent(1).drive(arrivals)


@dataclass(frozen=True)
class AllAtOnce:
    """Offline: every problem arrives at the start."""

    async def drive(self, arrivals: Sequence[Arrival]) -> None:
        """Bring all problems together."""
        await Concurrent(max(1, len(arrivals))).drive(arrivals)
