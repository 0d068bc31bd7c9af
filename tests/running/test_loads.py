"""Load shapes decide when problems arrive, and nothing else."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from scipy import stats

from tts_eval.protocols import Load
from tts_eval.running.loads import AllAtOnce, Concurrent, Poisson, Ramp, Sequential


async def in_flight(load: Load, num_problems: int) -> tuple[int, list[int]]:
    """Return the most problems ever in flight, and the order of their arrivals."""
    now, most, order = 0, 0, []

    async def arrive(problem: int, due_s: float) -> None:
        nonlocal now, most
        order.append(problem)
        now += 1
        most = max(most, now)
        for _ in range(1 + problem % 3):
            await asyncio.sleep(0)
        now -= 1

    await load.drive([partial(arrive, problem) for problem in range(num_problems)], clock=time.monotonic)
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


async def test_an_open_loop_waits_for_nobody_and_counts_from_when_a_problem_was_due() -> None:
    """No problem is answered before the last one has come; the event loop is held up on the way."""
    load, come, dues_s = Poisson(rate_per_s=400.0), asyncio.Event(), []

    async def arrive(due_s: float) -> None:
        dues_s.append(due_s)
        if len(dues_s) == 10:
            time.sleep(0.05)
        if len(dues_s) == 40:
            come.set()
        await come.wait()

    await load.drive([arrive] * 40, clock=time.monotonic)
    # while the loop is held up several come due together, and the loop may start those in any order
    assert np.diff(sorted(dues_s)) == pytest.approx(np.diff(load.offsets_s(40)), abs=1e-9)


def test_poisson_gaps_are_exponential_and_bursts_are_gamma() -> None:
    for burstiness in (1.0, 0.25, 4.0):
        gaps_s = np.diff(Poisson(8.0, burstiness=burstiness, seed=3).offsets_s(2000))
        gamma = stats.gamma(burstiness, scale=1 / (8.0 * burstiness))
        assert stats.kstest(gaps_s, gamma.cdf).pvalue > 0.01
    assert stats.kstest(gaps_s, stats.expon(scale=1 / 8.0).cdf).pvalue < 1e-6  # 4.0 is no Poisson process


def test_arrivals_are_those_of_their_seed() -> None:
    first, again, other = (Poisson(2.0, seed=seed).offsets_s(50) for seed in (1, 1, 2))
    assert first[0] == other[0] == 0.0
    assert (first == again).all()
    assert not np.allclose(first[1:], other[1:])
    assert Poisson(2.0).offsets_s(0).size == 0


def test_a_ramp_comes_at_its_rates_on_paper() -> None:
    """From 1 to 3 a second for 41 problems: 40 gaps at 2 a second are 20 s; 15 are due in half of it."""
    ramp = Ramp(1.0, 3.0)
    due_s = ramp.due_s(np.array([0.0, 15.0, 40.0, 43.0]), 41)
    assert due_s == pytest.approx([0.0, 10.0, 20.0, 21.0])
    assert Ramp(2.0, 2.0).due_s(np.array([0.0, 6.0]), 41) == pytest.approx([0.0, 3.0])
    assert Ramp(3.0, 1.0).due_s(np.array([25.0, 40.0]), 41) == pytest.approx([10.0, 20.0])


def test_a_ramp_is_a_poisson_process_in_its_own_time() -> None:
    ramp, num = Ramp(2.0, 20.0, seed=5), 1500
    offsets_s = ramp.offsets_s(num)
    ramp_s = 2 * (num - 1) / 22.0
    on_ramp = offsets_s[offsets_s < ramp_s]
    expected = 2.0 * on_ramp + 18.0 * on_ramp**2 / (2 * ramp_s)
    assert stats.kstest(np.diff(expected), stats.expon().cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("load", "problem"),
    [
        (lambda: Poisson(0.0), r"load\.rate_per_s must be a number from 1e-06 or more, not 0\.0"),
        (lambda: Poisson(1.0, burstiness=-1.0), r"load\.burstiness must be a number"),
        (lambda: Poisson(1.0, seed=-1), r"load\.seed must be a whole number from 0, not -1"),
        (lambda: Ramp(0.0, 1.0), r"load\.start_rate_per_s must be a number"),
        (lambda: Ramp(1.0, "fast"), r"load\.end_rate_per_s must be a number .* not 'fast'"),  # type: ignore[arg-type]
    ],
)
def test_rates_must_be_positive(load: Callable[[], Load], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        load()
