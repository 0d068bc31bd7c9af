"""The end of an engine core whose parent is gone: a killed program must leave no engine behind.

By itself vLLM's engine core would wait for requests for ever, holding its memory; its workers end when it
does.
"""

from __future__ import annotations

import ctypes
import os
import signal
from multiprocessing import parent_process
from typing import Any

from vllm.v1.engine.core import EngineCoreProc

from tts_eval.engines.vllm.models import register_our_models

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
vllm_run_engine_core = EngineCoreProc.run_engine_core


def end_cores_with_parent() -> None:
    """Have every engine core that is started from now on end with this process, however that ends."""
    EngineCoreProc.run_engine_core = staticmethod(run_engine_core)


def run_engine_core(*arguments: Any, **named: Any) -> None:
    """Run vLLM's engine core in this process, until its parent dies."""
    parent = parent_process()
    assert parent is not None
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    register_our_models()
    if os.getppid() == parent.pid:  # else it died before we could ask
        vllm_run_engine_core(*arguments, **named)
