"""The process that runs math-verify: reads jobs as JSON lines, answers each, dies with its parent.

Run as ``python -m tts_eval.grading.worker PARENT_PID MEMORY_BYTES STEP_TIMEOUT_S``.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import sys
import warnings
from typing import TextIO

from tts_eval.grading.messages import Job, Reply

_PR_SET_PDEATHSIG = 1
READY = "ready"


def main(parent_pid: int, memory_bytes: int, step_timeout_s: int) -> None:
    """Answer jobs until standard input ends."""
    _die_with(parent_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us in its own time
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    replies = _claim_stdout()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    # sympy takes a second to import: only here, so that the parent may import this module
    from tts_eval.grading import algebra

    print(READY, file=replies, flush=True)
    for line in sys.stdin:
        job = Job.from_json(line)
        reply: Reply = algebra.run(job, step_timeout_s=step_timeout_s)
        print(reply.to_json(), file=replies, flush=True)


def _die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent dies, also in the middle of a job."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the line above
        sys.exit(1)


def _claim_stdout() -> TextIO:
    """Keep the reply channel to ourselves: what a library prints goes to standard error."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
