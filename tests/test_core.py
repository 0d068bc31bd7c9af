"""The small pure pieces: seeds, running things together."""

import asyncio

import pytest

from tts_eval.concurrency import together
from tts_eval.requests import derive_seed


def test_seeds_differ_by_run_problem_and_call_and_never_by_chance() -> None:
    seeds = {derive_seed(run, problem, call) for run in range(5) for problem in "abc" for call in range(50)}
    assert len(seeds) == 5 * 3 * 50
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(0, "math/1", 0) == 7988240201684448313  # a promise across versions


async def test_results_come_in_order_whatever_finishes_first() -> None:
    async def slow(number: int) -> int:
        for _ in range(5 - number):
            await asyncio.sleep(0)
        return number

    assert await together(slow(number) for number in range(5)) == [0, 1, 2, 3, 4]


async def test_the_first_failure_stops_the_rest_and_is_raised_as_itself() -> None:
    stopped = []

    async def endless() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.append(True)

    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        await together([endless(), fails()])
    assert stopped == [True]
