"""The processes of an engine: they end with the program, however that ends, and are awaited when it stops.

By itself vLLM leaves them behind when its parent is killed: an engine core waits for requests for ever, the
coordinator of data parallel replicas and the workers for some time, and each holds its GPU's memory.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Collection
from contextlib import suppress
from multiprocessing import parent_process
from typing import Any

import psutil
from vllm.v1.engine.coordinator import DPCoordinatorProc
from vllm.v1.engine.core import EngineCoreProc
from vllm.v1.executor.multiproc_executor import WorkerProc

from tts_eval.engines.vllm.plugin import register_our_models

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
KILLED_S = 10.0  # a killed process is gone once the driver has taken its memory back
SHARED = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")  # serve all of the program
vllm_run_engine_core = EngineCoreProc.run_engine_core
vllm_run_coordinator = DPCoordinatorProc.run_coordinator
vllm_worker_main = WorkerProc.worker_main


def end_with_parent() -> None:
    """Have every process of vLLM that this one starts from now on end with it."""
    EngineCoreProc.run_engine_core = staticmethod(run_engine_core)
    DPCoordinatorProc.run_coordinator = staticmethod(run_coordinator)
    WorkerProc.worker_main = staticmethod(run_worker)


def run_engine_core(*arguments: Any, **named: Any) -> None:
    """Run vLLM's engine core, and its workers, until its parent dies."""
    end_with_parent()
    _tied(vllm_run_engine_core, *arguments, **named)


def run_coordinator(*arguments: Any, **named: Any) -> None:
    """Run vLLM's coordinator of data parallel replicas until its parent dies."""
    _tied(vllm_run_coordinator, *arguments, **named)


def run_worker(*arguments: Any, **named: Any) -> None:
    """Run one of vLLM's workers until its engine core dies."""
    _tied(vllm_worker_main, *arguments, **named)


def _tied(run: Callable[..., None], *arguments: Any, **named: Any) -> None:
    parent = parent_process()
    assert parent is not None
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    register_our_models()  # a spawned process does not have what its parent registered
    if os.getppid() == parent.pid:  # else it died before we could ask
        run(*arguments, **named)


def descendants() -> set[psutil.Process]:
    """Return the processes below this one, without those that multiprocessing keeps for all of it."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if not any(name in " ".join(child.cmdline()) for name in SHARED):
                found.add(child)
    return found


def await_end(processes: Collection[psutil.Process], *, grace_s: float) -> None:
    """Return once `processes` are gone; those still there after `grace_s` seconds are killed."""
    _, alive = psutil.wait_procs(processes, timeout=grace_s)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=KILLED_S)
