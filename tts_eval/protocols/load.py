"""How problems arrive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol


class Load(Protocol):
    """How problems arrive."""

    @property
    def is_open(self) -> bool:
        """Whether problems arrive whatever becomes of those before them."""

    @property
    def is_steady(self) -> bool:
        """Whether it presses equally hard from its beginning to its end: then it is kept up by fill."""

    @property
    def in_flight(self) -> int | None:
        """How many problems a closed loop keeps in flight; None for an open load."""

    async def drive(
        self,
        arrivals: Sequence[Callable[[float], Awaitable[None]]],
        *,
        clock: Callable[[], float],
        fill: Iterable[Callable[[float], Awaitable[None]]] = (),
    ) -> None:
        """Call each of `arrivals` when its problem arrives, with that moment on `clock`, and await them all.

        An open load gives the moment at which the problem was due, even if it could only be called later.
        A steady load calls those of `fill` (endless) besides, so that it presses equally hard on every one of
        `arrivals` from first to last, and cancels what is in flight of them once `arrivals` are answered.
        """
