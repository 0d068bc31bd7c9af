"""The names of runs' folders, and folders that are made for one start alone."""

from __future__ import annotations

import hashlib
import re
from itertools import count
from pathlib import Path

MAX_NAME = 150
STRUCTURE = str.maketrans({"=": "-", ",": "+"})


def folder_name(overrides: str) -> str:
    """Return a cell's overrides as a folder's name that a shell and an override take without quotes."""
    name = re.sub(r"[^A-Za-z0-9_.+-]", "_", overrides.lstrip("+").translate(STRUCTURE)).lstrip("+.-")
    return name if len(name) <= MAX_NAME else with_digest(name, overrides)


def with_digest(name: str, overrides: str) -> str:
    """Return `name` with what distinguishes these overrides from all others that come to the same name."""
    digest = hashlib.sha256(overrides.encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME - len(digest) - 1]}-{digest}"


def claim(folder: Path) -> Path:
    """Make `folder`, or where it is there already the first of folder-2, folder-3, ... that is not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        own = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        try:
            own.mkdir()
        except FileExistsError:  # another start's, of the same second
            continue
        return own
    raise AssertionError("unreachable")


def from_here(folder: Path) -> Path:
    """Return `folder` as short as it can be named from the current directory."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
