"""Load shapes decide when problems arrive, and nothing else."""

import asyncio
from functools import partial

import pytest

from tts_eval.protocols import Load
from tts_eval.running.loads import AllAtOnce, Concurrent, Sequential


async def in_flight(load: Load, num_problems: int) -> tuple[int, list[int]]:
    """Return the most problems ever in flight, and the order of their arrivals."""
    now, most, order = 0, 0, []

    async def arrive(problem: int) -> None:
        nonlocal now, most
        order.append(problem)
        now += 1
        most = max(most, now)
        for _ in range(1 + problem % 3):
            await asyncio.sleep(0)
        now -= 1

    await load.drive([partial(arrive, problem) for problem in range(num_problems)])
    return most, order


@pytest.mark.parametrize(("load", "most"), [(Sequential(), 1), (Concurrent(3), 3), (AllAtOnce(), 10)])
async def test_as_many_are_in_flight_as_the_load_says(load: Load, most: int) -> None:
    assert await in_flight(load, 10) == (most, list(range(10)))


async def test_fewer_problems_than_users_is_fine() -> None:
    assert await in_flight(Concurrent(8), 3) == (3, [0, 1, 2])
    assert await in_flight(AllAtOnce(), 0) == (0, [])


def test_k_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"load\.k must be a whole number from 1, not 0"):
        Concurrent(0)
