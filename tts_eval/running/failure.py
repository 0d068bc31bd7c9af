"""Why a strategy failed a problem: the exception behind it, and the line of its author that raised it."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from pathlib import Path

CORE = Path(__file__).resolve().parents[1]
NOT_THE_AUTHORS = (CORE, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")))


def described(failure: BaseException) -> str:
    """Return kind, place and message: `IndexError at my_package/failing.py:15: list index out of range`."""
    cause = _first(failure)
    frames = traceback.extract_tb(cause.__traceback__)
    own = [frame for frame in frames if not _is_below(frame.filename, NOT_THE_AUTHORS)]
    places = [f" at {_short(frame.filename)}:{frame.lineno}" for frame in (own or list(frames))[-1:]]
    return f"{type(cause).__name__}{''.join(places)}: {cause}"


def traceback_of(failure: BaseException) -> str:
    """Return the whole traceback, causes included."""
    return "".join(traceback.format_exception(failure))


def _first(failure: BaseException) -> BaseException:
    """Return the first exception of a group: the group itself says nothing."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


def _is_below(file: str, folders: tuple[Path, ...]) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in folders)


def _short(file: str) -> str:
    """Return `file` from the current directory or else from where Python found it."""
    roots = [Path(root) for root in (os.getcwd(), *sys.path) if root and Path(file).is_relative_to(root)]
    return str(Path(file).relative_to(roots[0])) if roots else file
