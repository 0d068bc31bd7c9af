"""How problems arrive: a closed loop of users, a random process of its own, or all at once.

A problem arrives when its arrival is called, with the moment it was due. A steady load is kept up by *fill*,
unmeasured arrivals, for as long as a measured problem is in flight: else the last ones would have an ever
emptier engine to themselves, and a run of 50 problems would measure that more than its load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, ClassVar

import numpy as np

from tts_eval import checks
from tts_eval.concurrency import tasks, together
from tts_eval.measuring.meter import Clock

Arrival = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Concurrent:
    """A closed loop with `k` problems in flight: the next one arrives when one is answered.

    Its first k arrivals are fill, so that measured problems arrive one by one, as places come free, and not
    in the burst of the start.
    """

    k: int
    is_open: ClassVar[bool] = False
    is_steady: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.whole_number("load.k", self.k, minimum=1)

    @property
    def in_flight(self) -> int:
        """How many problems are in flight at any time."""
        return self.k

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock, fill: Iterable[Arrival] = ()) -> None:
        """Let k users each bring one problem after another until `arrivals` are answered."""
        filling, num_left, answered = iter(fill), len(arrivals), asyncio.Event()

        async def measured(arrive: Arrival, due_s: float) -> None:
            nonlocal num_left
            await arrive(due_s)
            num_left -= 1
            if not num_left:
                answered.set()

        lead = islice(filling, self.k if self.k > 1 else 0)  # one user alone makes no burst
        waiting: Iterator[Arrival] = chain(lead, (partial(measured, arrive) for arrive in arrivals), filling)

        async def user() -> None:
            for arrive in waiting:
                await arrive(clock())
                if answered.is_set():
                    return

        if arrivals:
            await _until(answered.wait(), together(user() for _ in range(self.k)))


@dataclass(frozen=True)
class Sequential:
    """A single user: a closed loop with one problem in flight, which needs no fill."""

    is_open: ClassVar[bool] = False
    is_steady: ClassVar[bool] = True
    in_flight: ClassVar[int] = 1

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock, fill: Iterable[Arrival] = ()) -> None:
        """Bring one problem after another."""
        await Concurrent(1).drive(arrivals, clock=clock, fill=fill)


@dataclass(frozen=True)
class AllAtOnce:
    """Offline: every problem arrives at the start. A batch, which has a beginning and an end: no fill."""

    is_open: ClassVar[bool] = True
    is_steady: ClassVar[bool] = False
    in_flight: ClassVar[None] = None

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock, fill: Iterable[Arrival] = ()) -> None:
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
    in_flight: ClassVar[None] = None

    def __post_init__(self) -> None:
        checks.number("load.rate_per_s", self.rate_per_s, minimum=1e-6)
        checks.number("load.burstiness", self.burstiness, minimum=1e-3)
        checks.whole_number("load.seed", self.seed, minimum=0)

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock, fill: Iterable[Arrival] = ()) -> None:
        """Bring each problem when it is due, and `fill` after the last one until all are answered."""
        began_s = clock()
        dues_s = (began_s + offset_s for offset_s in self._offsets_s())
        measured = [_come(arrive, due_s, clock) for arrive, due_s in zip(arrivals, dues_s)]  # noqa: B905
        await _until(together(measured), _come_each(fill, dues_s, clock))

    def offsets_s(self, num_problems: int) -> np.ndarray:
        """Return when each problem is due, in seconds after the first."""
        return np.array(list(islice(self._offsets_s(), num_problems)))

    def _offsets_s(self) -> Iterator[float]:
        random, offset_s = np.random.default_rng(self.seed), 0.0
        while True:
            yield offset_s
            offset_s += random.gamma(self.burstiness, 1 / (self.rate_per_s * self.burstiness))


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
    in_flight: ClassVar[None] = None

    def __post_init__(self) -> None:
        checks.number("load.start_rate_per_s", self.start_rate_per_s, minimum=1e-6)
        checks.number("load.end_rate_per_s", self.end_rate_per_s, minimum=1e-6)
        checks.whole_number("load.seed", self.seed, minimum=0)

    async def drive(self, arrivals: Sequence[Arrival], *, clock: Clock, fill: Iterable[Arrival] = ()) -> None:
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
    """Call each arrival `offsets_s` after now; none waits for another."""
    began_s = clock()
    dues_s = [began_s + float(offset_s) for offset_s in offsets_s]
    await together(_come(arrive, due_s, clock) for arrive, due_s in zip(arrivals, dues_s, strict=True))


async def _come(arrive: Arrival, due_s: float, clock: Clock) -> None:
    """Call `arrive` when it is due, or as soon as the event loop can."""
    await asyncio.sleep(max(0.0, due_s - clock()))
    await arrive(due_s)


async def _come_each(fill: Iterable[Arrival], dues_s: Iterator[float], clock: Clock) -> None:
    """Call each of `fill`, which may be endless, when it is due."""
    async with tasks() as group:
        for arrive in fill:
            due_s = next(dues_s)
            await asyncio.sleep(max(0.0, due_s - clock()))
            group.create_task(_come(arrive, due_s, clock))


async def _until(over: Coroutine[Any, Any, Any], keeping_up: Coroutine[Any, Any, Any]) -> None:
    """Await `over` and then stop `keeping_up`; a failure of either ends both."""
    async with tasks() as group:
        kept_up = group.create_task(keeping_up)
        await over
        kept_up.cancel()
