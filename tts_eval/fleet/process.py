"""A worker process on GPUs or cores of its own, which ends with its parent, as does what it started."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from tts_eval.devices.driver import visible_gpus
from tts_eval.devices.visible import entries
from tts_eval.fleet.group import Assignment, Reasons

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STOP_S = 60.0


def gpu_names() -> tuple[str, ...]:
    """Return the GPUs that CUDA would use, as CUDA_VISIBLE_DEVICES names them."""
    names = entries()
    return tuple(map(str, range(len(visible_gpus())))) if names is None else tuple(names)


@dataclass(frozen=True, slots=True)
class Place:
    """The GPUs (as CUDA_VISIBLE_DEVICES names them) or else the cores of one worker."""

    gpus: tuple[str, ...] = ()
    cores: tuple[int, ...] = ()

    def __str__(self) -> str:
        kind, names = ("GPU", self.gpus) if self.gpus else ("core", tuple(map(str, self.cores)))
        return f"{kind}{'s' if len(names) > 1 else ''} {','.join(names)}"

    def take(self) -> None:
        """Confine this process to the place."""
        if self.gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        else:
            os.sched_setaffinity(0, self.cores)


class WorkerProcess:
    """A started worker; `sentinel` is ready when it has ended."""

    def __init__(self, assignment: Assignment, place: Place) -> None:
        spawning = multiprocessing.get_context("spawn")  # a fork would share what the parent has initialized
        self._results, sending = spawning.Pipe(duplex=False)
        self._process: BaseProcess = spawning.Process(
            target=_run, args=(assignment, place, sending, os.getpid())
        )
        self._process.start()
        sending.close()
        self.sentinel = self._process.sentinel

    def result(self) -> Reasons | None:
        """Return what a worker that has ended sent, None where it was lost; nothing of it is left running."""
        sent: Reasons | None = None
        with suppress(EOFError, OSError):
            sent = self._results.recv() if self._results.poll() else None
        self._process.join()
        self._kill_group()
        return sent

    @property
    def ending(self) -> str:
        """How it ended."""
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"

    def interrupt(self) -> None:
        """Have it stop as Ctrl-C would."""
        if self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, signal.SIGINT)

    def stop(self) -> None:
        """Wait until it has stopped, `STOP_S` at most, and kill what is left."""
        self._process.join(STOP_S)
        self._kill_group()
        self._process.join()

    def _kill_group(self) -> None:
        assert self._process.pid is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def stop_all(workers: Sequence[WorkerProcess]) -> None:
    """Interrupt all of them at once, then wait for each."""
    for worker in workers:
        worker.interrupt()
    for worker in workers:
        worker.stop()


def end_with_parent(parent: int) -> None:
    """Have this process killed when process `parent`, which started it, ends in whatever way."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask
        os.kill(os.getpid(), signal.SIGKILL)


def _run(assignment: Assignment, place: Place, results: Connection, parent: int) -> None:
    os.setsid()  # a group of its own, which the parent kills whole; Ctrl-C reaches the parent alone
    end_with_parent(parent)
    place.take()
    with suppress(KeyboardInterrupt):
        results.send(assignment.run())
