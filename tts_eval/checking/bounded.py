"""A program that ends in time: at its limit it is killed with everything that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

NUM_LAST_LINES = 3


class TimeIsOver(Exception):
    """The program was killed at its limit."""


class Failed(Exception):
    """The program ended with another code than 0; the text is its last lines."""


def run_bounded(command: Sequence[str], folder: Path, *, limit_s: float) -> None:
    """Run `python -m` `command`, with its output in `folder`/log.txt.

    Raises TimeIsOver or Failed.
    """
    log = folder / "log.txt"
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ python -m {' '.join(command)}\n")
        output.flush()
        program = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = program.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise TimeIsOver(f"killed after {limit_s:.0f} s") from None
        finally:  # of what was killed, and of what this program leaves when it is interrupted itself
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
    if code:
        lines = [
            line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
        ]
        raise Failed(f"exit code {code}: {' | '.join(lines[-NUM_LAST_LINES:])}")
