"""Keeps worker processes warm, gives each job a deadline, and kills and replaces a worker that misses it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Self

from tts_eval.grading.grade import Reason
from tts_eval.grading.messages import Job, Reply
from tts_eval.grading.worker import READY

_ROOT = Path(__file__).parents[2]
_START_DEADLINE_S = 120.0
_GRACE_S = 0.05
_UNFITTING = {
    Reason.TIME_OUT,
    Reason.OUT_OF_MEMORY,
    Reason.CRASH,
}  # a worker is not to be trusted after these
_WORKER_ENDED = "the grading worker ended (exit code {}) instead of starting; see its message above"


class GradingPool:
    """Run jobs in killable processes; use it as an async context manager, on exit no process is left.

    Args:
        num_workers: processes, each of about 150 MB.
        deadline_s: wall seconds after which a job's worker is killed.
        step_timeout_s: whole seconds that math-verify gives itself for each parsing and each comparison.
        memory_bytes: address space of one worker.
        num_jobs_per_worker: jobs after which a worker is replaced, since sympy's caches only grow.

    Attributes:
        waited_s: seconds that jobs have waited for a worker, all of them together.
    """

    def __init__(
        self,
        *,
        num_workers: int = 1,
        deadline_s: float = 10.0,
        step_timeout_s: int = 5,
        memory_bytes: int = 2 * 1024**3,
        num_jobs_per_worker: int = 2000,
    ) -> None:
        limits = {
            "num_workers": num_workers,
            "deadline_s": deadline_s,
            "step_timeout_s": step_timeout_s,
            "memory_bytes": memory_bytes,
            "num_jobs_per_worker": num_jobs_per_worker,
        }
        for name, limit in limits.items():
            if limit <= 0:
                raise ValueError(f"{name} must be greater than 0, not {limit}")
        arguments = (str(memory_bytes), str(step_timeout_s))
        self._workers = [_Worker(arguments) for _ in range(num_workers)]
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self.waited_s = 0.0
        self._deadline_s = deadline_s
        self._num_jobs_per_worker = num_jobs_per_worker

    @property
    def num_workers(self) -> int:
        """How many jobs may run at once."""
        return len(self._workers)

    @property
    def worker_pids(self) -> list[int]:
        """The processes that are alive now."""
        processes = [worker.process for worker in self._workers if worker.process is not None]
        return [process.pid for process in processes if process.returncode is None]

    async def __aenter__(self) -> Self:
        for worker in self._workers:
            worker.restart()
            self._idle.put_nowait(worker)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.close() for worker in self._workers))

    async def submit(self, job: Job) -> Reply:
        """Run one job; when its worker hangs, crashes or runs out of memory, the reply says so."""
        asked_s = time.monotonic()
        worker = await self._idle.get()
        self.waited_s += time.monotonic() - asked_s
        try:
            reply = await worker.ask(job, deadline_s=self._deadline_s)
            if reply.failure in _UNFITTING or worker.num_jobs >= self._num_jobs_per_worker:
                worker.restart()
            return reply
        finally:
            if worker.is_busy:  # we were cancelled: the reply that is on its way is nobody's
                worker.restart()
            self._idle.put_nowait(worker)


class _Worker:
    """One process and its successors."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        self.process: Process | None = None
        self.num_jobs = 0
        self.is_busy = False
        self._arguments = arguments
        self._start: asyncio.Task[Process] | None = None
        self._is_closed = False

    def restart(self) -> None:
        """Kill the process if there is one, and begin to start the next."""
        self._kill()
        self.num_jobs = 0
        self.is_busy = False
        if not self._is_closed:
            self._start = asyncio.create_task(self._launch(self._start))

    async def ask(self, job: Job, *, deadline_s: float) -> Reply:
        """Send a job and wait for its reply; the deadline counts from when the worker is warm."""
        process = await self._started()
        if process.returncode is not None:  # it died while it was idle: no fault of this job
            self.restart()
            process = await self._started()
        assert process.stdin is not None and process.stdout is not None
        self.num_jobs += 1
        self.is_busy = True
        process.stdin.write(job.to_json())
        line = await _read_line(process.stdout, deadline_s)
        self.is_busy = False
        if line is None:
            return Reply(failure=Reason.TIME_OUT)
        return Reply.from_json(line) if line.endswith(b"\n") else Reply(failure=Reason.CRASH)

    async def close(self) -> None:
        """Kill the process and wait until it is gone."""
        self._is_closed = True
        self._kill()  # also one that is only starting
        if self._start is not None:
            await asyncio.gather(self._start, return_exceptions=True)
        self._kill()
        if self.process is not None:
            await self.process.wait()

    async def _started(self) -> Process:
        assert self._start is not None
        return await asyncio.shield(self._start)

    async def _launch(self, previous: asyncio.Task[Process] | None) -> Process:
        if previous is not None:
            await asyncio.gather(previous, return_exceptions=True)
            self._kill()
        if self.process is not None:
            await self.process.wait()
        search_path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        self.process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tts_eval.grading.worker", str(os.getpid()), *self._arguments),
            stdin=PIPE,
            stdout=PIPE,
            env=os.environ | {"PYTHONPATH": search_path},
        )
        if self._is_closed:
            self._kill()
        assert process.stdout is not None
        line = await _read_line(process.stdout, _START_DEADLINE_S)
        if line != f"{READY}\n".encode():
            if line is None:
                self._kill()
            raise RuntimeError(_WORKER_ENDED.format(await process.wait()))
        return process

    def _kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()


async def _read_line(stream: asyncio.StreamReader, deadline_s: float) -> bytes | None:
    """Read a line, or return None when there is none in time.

    Not wait_for: when the loop was blocked, that gives up on a line which has arrived in the meantime.
    """
    reading = asyncio.create_task(stream.readline())
    try:
        for wait_s in (deadline_s, _GRACE_S):
            if (await asyncio.wait({reading}, timeout=wait_s))[0]:
                return reading.result()
        return None
    finally:
        reading.cancel()
