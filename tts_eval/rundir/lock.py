"""One process at a time writes to a run's folder; its lock ends with it, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder`, which must exist, for this process.

    Raises:
        ValueError: Another process holds it.
    """
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        # A record lock is the process's own: engines forked from it do not hold it when it is gone.
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                yield  # a file system without locks
                return
            raise ValueError(f"{folder} is in use by process {_holder(file)}") from None
        with suppress(OSError):  # the lock holds even where a full disk does not take the name
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
        yield


def _holder(file: TextIO) -> str:
    file.seek(0)
    return file.read().strip() or "of another command"
