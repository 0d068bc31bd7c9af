"""Workers that hang, die, are abandoned or orphaned."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tts_eval.grading.grade import Reason
from tts_eval.grading.messages import Job, Reply
from tts_eval.grading.pool import GradingPool

EASY = Job("1+x", "x+1")
HOSTILE = Job("(1+1)^{9^{9^{9^{9}}}}", "2+x")
REPO = Path(__file__).parents[2]
in_one_loop = pytest.mark.asyncio(loop_scope="module")


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[GradingPool]:
    """Give a pool whose deadline, not math-verify's, ends a hostile job."""
    async with GradingPool(deadline_s=2, step_timeout_s=60) as pool:
        yield pool
    assert pool.worker_pids == []


async def stuck_in(pool: GradingPool) -> asyncio.Task[Reply]:
    """Bring the pool's only worker into the middle of a job."""
    assert await pool.submit(EASY) == Reply(equal=True)
    stuck = asyncio.create_task(pool.submit(HOSTILE))
    await asyncio.sleep(0.2)
    return stuck


@in_one_loop
async def test_a_worker_loads_no_engine(pool: GradingPool) -> None:
    await pool.submit(EASY)
    libraries = {Path(mapped.path).name for mapped in psutil.Process(pool.worker_pids[0]).memory_maps()}
    assert not [library for library in libraries if library.startswith(("libtorch", "libc10"))]


@in_one_loop
async def test_a_worker_that_hangs_is_killed_and_replaced_while_the_loop_goes_on(pool: GradingPool) -> None:
    stuck = await stuck_in(pool)
    first = pool.worker_pids
    num_turns = 0
    while not stuck.done():
        await asyncio.sleep(0.01)
        num_turns += 1
    assert num_turns > 10
    assert await stuck == Reply(failure=Reason.TIME_OUT)
    assert await pool.submit(EASY) == Reply(equal=True)
    assert pool.worker_pids != first
    assert not is_running(first[0])


@in_one_loop
async def test_a_worker_killed_in_the_middle_of_a_job_costs_that_job_only(pool: GradingPool) -> None:
    stuck = await stuck_in(pool)
    os.kill(pool.worker_pids[0], signal.SIGKILL)
    assert await stuck == Reply(failure=Reason.CRASH)
    assert await pool.submit(EASY) == Reply(equal=True)


@in_one_loop
async def test_a_worker_killed_while_idle_costs_no_job(pool: GradingPool) -> None:
    await pool.submit(EASY)
    os.kill(pool.worker_pids[0], signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert await pool.submit(EASY) == Reply(equal=True)


@in_one_loop
async def test_a_cancelled_job_leaves_no_reply_for_the_next(pool: GradingPool) -> None:
    stuck = await stuck_in(pool)
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck
    assert await pool.submit(Job("x+2", "x+1")) == Reply(equal=False)


@in_one_loop
async def test_a_reply_that_came_while_the_loop_was_blocked_is_not_a_time_out(pool: GradingPool) -> None:
    await pool.submit(EASY)
    asked = asyncio.create_task(pool.submit(Job("x+3", "3+x")))
    for _ in range(3):
        await asyncio.sleep(0)  # the job is sent
    time.sleep(2.5)
    assert await asked == Reply(equal=True)


async def test_a_worker_is_replaced_after_so_many_jobs() -> None:
    async with GradingPool(num_jobs_per_worker=1) as pool:
        asked = asyncio.create_task(pool.submit(EASY))
        while not pool.worker_pids:
            await asyncio.sleep(0.01)
        first = pool.worker_pids
        assert await asked == Reply(equal=True)
        while not pool.worker_pids or pool.worker_pids == first:
            await asyncio.sleep(0.01)
        assert not is_running(first[0])


async def test_a_worker_dies_with_its_parent_also_in_the_middle_of_a_job() -> None:
    program = (
        "import asyncio\n"
        "from tts_eval.grading.messages import Job\n"
        "from tts_eval.grading.pool import GradingPool\n"
        "async def main():\n"
        "    async with GradingPool(step_timeout_s=60, deadline_s=60) as pool:\n"
        "        await pool.submit(Job('1+x', 'x+1'))\n"
        "        print(*pool.worker_pids, flush=True)\n"
        f"        await pool.submit(Job({HOSTILE.answer!r}, {HOSTILE.gold!r}))\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=REPO, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(0.3)
    assert is_running(worker)
    parent.kill()
    parent.communicate()
    give_up_at = time.monotonic() + 10
    while is_running(worker) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert not is_running(worker)


async def test_a_worker_that_cannot_start_is_an_error() -> None:
    async with GradingPool(memory_bytes=40 * 1024**2) as pool:
        with pytest.raises(RuntimeError, match=r"exit code 1\) instead of starting"):
            await pool.submit(EASY)


def test_the_parent_needs_no_computer_algebra() -> None:
    program = (
        "import sys, tts_eval.grading.grader, tts_eval.grading.answers\n"
        "print(sorted({'sympy', 'math_verify', 'torch', 'vllm'} & set(sys.modules)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, capture_output=True, check=True, text=True
    )
    assert printed.stdout.strip() == "[]"


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="num_workers must be greater than 0, not 0"):
        GradingPool(num_workers=0)
