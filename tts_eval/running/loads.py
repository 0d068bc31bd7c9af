"""How problems arrive: a closed loop of users, a random process of its own, or all at once.

Knows no problem and no engine; a problem has arrived when its arrival is called, with the moment it was due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tts_eval import checks
from tts_eval.concurrency import together
from tts_eval.measuring.meter import Clock

Arrival = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Concurrent:
    """A closed loop with `k` problems in flight: the next one arrives when one is answered."""

    k: int
    is_open: ClassVar[bool] = False
    is_steady: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.whole_number("load.k", self.k, minimum=1)

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock) -> None:
        """Let k users each bring one problem after another."""
        waiting = iter(arrivals)

        async def user() -> None:
            for arrive in waiting:
                await arrive(clock())

        await together(user() for _ in range(min(self.k, len(arrivals))))


@dataclass(frozen=True)
class Sequential:
    """A single user: a closed loop with one problem in flight."""

    is_open: ClassVar[bool] = False
    is_steady: ClassVar[bool] = True

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock) -> None:
        """Bring one problem after another."""
        await Concurrent(1).drive(arrivals, clock=clock)


@dataclass(frozen=True)
class AllAtOnce:
    """Offline: every problem arrives at the start."""

    is_open: ClassVar[bool] = True
    is_steady: ClassVar[bool] = False

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock) -> None:
        """Bring all problems together."""
        await _drive_open(arrivals, np.zeros(len(arrivals)), clock)


@dataclass(frozen=True)
class Poisson:
    """An open loop: problems come at `rate_per_s` on average, whatever has become of those before them.

    Gaps are gamma-distributed with shape `burstiness`, as in vLLM's benchmark: 1 is a Poisson process, less
    is burstier, more is more regular. The first problem comes at the start.
    """

    rate_per_s: float
    burstiness: float = 1.0
    seed: int = 0
    is_open: ClassVar[bool] = True
    is_steady: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.number("load.rate_per_s", self.rate_per_s, minimum=1e-6)
        checks.number("load.burstiness", self.burstiness, minimum=1e-3)
        checks.whole_number("load.seed", self.seed, minimum=0)

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock) -> None:
        """Bring each problem when it is due."""
        await _drive_open(arrivals, self.offsets_s(len(arrivals)), clock)

    def offsets_s(self, num_problems: int) -> np.ndarray:
        """Return when each problem is due, in seconds after the first."""
        random = np.random.default_rng(self.seed)
        gaps_s = random.gamma(
            self.burstiness, 1 / (self.rate_per_s * self.burstiness), max(num_problems - 1, 0)
        )
        return np.concatenate(([0.0], np.cumsum(gaps_s)))[:num_problems]


@dataclass(frozen=True)
class Ramp:
    """An open loop whose rate changes linearly in time, from `start_rate_per_s` to `end_rate_per_s`.

    It lasts as long as all problems take to come at the mean rate; those that are due later, by chance, come
    at `end_rate_per_s`. A Poisson process, its time changed by the cumulated rate (Cinlar, Introduction to
    Stochastic Processes, 1975, chapter 4). The first problem comes at the start.
    """

    start_rate_per_s: float
    end_rate_per_s: float
    seed: int = 0
    is_open: ClassVar[bool] = True
    is_steady: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checks.number("load.start_rate_per_s", self.start_rate_per_s, minimum=1e-6)
        checks.number("load.end_rate_per_s", self.end_rate_per_s, minimum=1e-6)
        checks.whole_number("load.seed", self.seed, minimum=0)

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock) -> None:
        """Bring each problem when it is due."""
        await _drive_open(arrivals, self.offsets_s(len(arrivals)), clock)

    def offsets_s(self, num_problems: int) -> np.ndarray:
        """Return when each problem is due, in seconds after the first."""
        gaps = np.random.default_rng(self.seed).exponential(size=max(num_problems - 1, 0))
        expected = np.concatenate(([0.0], np.cumsum(gaps)))[:num_problems]
        return self.due_s(expected, num_problems)

    def due_s(self, expected: np.ndarray, num_problems: int) -> np.ndarray:
        """Return when `expected` problems are due to have come after the first, on average."""
        start, end = self.start_rate_per_s, self.end_rate_per_s
        num_ramped = max(num_problems - 1, 0)
        ramp_s = 2 * num_ramped / (start + end)
        ramped = np.minimum(expected, num_ramped)
        # expected = start t + (end - start) t^2 / (2 ramp_s), solved for t so that start may equal end
        slope = (end - start) / ramp_s if ramp_s else 0.0
        on_ramp_s = 2 * ramped / (start + np.sqrt(start**2 + 2 * slope * ramped))
        return np.asarray(on_ramp_s + (expected - ramped) / end)


async def _drive_open(arrivals: Sequence[Arrival], offsets_s: np.ndarray, clock: Clock) -> None:
    """Call each arrival `offsets_s` after now, or as soon as the event loop can; none waits for another."""
    began_s = clock()

    async def come(arrive: Arrival, due_s: float) -> None:
        await asyncio.sleep(max(0.0, due_s - clock()))
        await arrive(due_s)

    dues_s = [began_s + float(offset_s) for offset_s in offsets_s]
    await together(come(arrive, due_s) for arrive, due_s in zip(arrivals, dues_s, strict=True))
