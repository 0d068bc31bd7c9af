"""Awaiting many things at once, so that one failure stops the rest and is raised as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


async def together(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run `coroutines` concurrently and return their results in order.

    The first failure cancels the others and is raised as itself, not wrapped in a group.
    """
    async with tasks() as group:
        running = [group.create_task(coroutine) for coroutine in coroutines]
    return [task.result() for task in running]


@asynccontextmanager
async def tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """Yield a group to create tasks in; leaving the context awaits them all.

    The first failure cancels the others and is raised as itself, not wrapped in a group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def unbroken(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await `coroutine` to its end, however often the caller is cancelled; the cancellation is raised then.

    A group that is cancelled while it stops its tasks cancels them once more, in the midst of their clean-up.
    """
    task = asyncio.create_task(coroutine)
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            interruption = error
    result = task.result()
    if interruption is not None:
        raise interruption
    return result
