"""What must be done to its end is, however often the caller is cancelled."""

from __future__ import annotations

import asyncio

import pytest

from tts_eval.concurrency import unbroken


async def test_a_second_cancellation_does_not_reach_the_clean_up() -> None:
    """A group that is cancelled while it stops its tasks cancels each of them once more."""
    booked: list[str] = []

    async def clean_up() -> None:
        await asyncio.sleep(0.05)
        booked.append("all of it")

    async def sample() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            await unbroken(clean_up())

    async def fail() -> None:
        raise RuntimeError("a sibling")

    async def solve() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(sample())
            group.create_task(fail())

    solving = asyncio.create_task(solve())
    await asyncio.sleep(0.01)
    solving.cancel()
    with pytest.raises((asyncio.CancelledError, ExceptionGroup)):
        await solving
    assert booked == ["all of it"]


async def test_a_failure_of_what_is_awaited_is_raised() -> None:
    async def fail() -> None:
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        await unbroken(fail())
