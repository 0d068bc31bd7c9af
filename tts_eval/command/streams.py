"""Standard output and error that nothing is lost by: what is shown never fails the program that shows it."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

STANDARD = (0, 1, 2)


class _Unbreakable(io.TextIOWrapper):
    """A stream that goes silent once its reader is gone, its terminal vanished or its disk full."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            self._silence()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            self._silence()
        except ValueError:  # closed
            pass

    def _silence(self) -> None:
        """Let everything further go nowhere, what child processes write included."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def outlive_the_terminal() -> None:
    """Make standard output and error such streams; call it before anything else opens a file.

    A standard stream that is closed is opened on nothing: else the next file that is opened takes its number,
    and whatever a library writes to standard error lands in it.
    """
    for descriptor in STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    sys.stdout, sys.stderr = _unbreakable(sys.stdout, 1), _unbreakable(sys.stderr, 2)


def _unbreakable(stream: TextIO | None, descriptor: int) -> TextIO:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    if stream is not None:
        with suppress(OSError):
            stream.flush()
    raw = io.BufferedWriter(io.FileIO(descriptor, "wb", closefd=False))
    return _Unbreakable(raw, encoding=encoding, errors="backslashreplace", line_buffering=True)
