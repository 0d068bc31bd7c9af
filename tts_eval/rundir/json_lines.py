"""A file of JSON lines that is only ever appended to: whole lines or none, whatever the disk does."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from os import write as os_write
from pathlib import Path
from typing import Any

import orjson


class NotKept(Exception):
    """A run's file could not be written; everything that was written before still stands."""

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(f"{file} could not be written: {error.strerror or error}")


def append(file: Path, records: Sequence[Any]) -> None:
    """Append a line a record, or leave `file` as it was and raise NotKept."""
    append_text(file, b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records))


def append_text(file: Path, text: bytes) -> None:
    """Append `text`, or leave `file` as it was.

    Raises:
        NotKept: The disk did not take all of it.
    """
    before = _size(file)
    try:
        with file.open("ab", buffering=0) as lines:
            while text:
                text = text[os_write(lines.fileno(), text) :]  # a disk that is nearly full takes a part
    except OSError as error:
        _cut(file, before)
        raise NotKept(file, error) from error


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of `file`; a line that is none is named in a warning and passed over."""
    for number, line in enumerate(_whole(file).split(b"\n")[:-1], start=1):
        found = _object(line)
        if found is None:
            _warn_of(file, number)
        else:
            yield found


def whole_lines(file: Path) -> bytes:
    """Return the lines of `file` that hold an object, as they stand."""
    text = _whole(file)
    lines = text.splitlines(keepends=True)
    is_object = [_object(line) is not None for line in lines]
    if all(is_object):
        return text
    for number, is_sound in enumerate(is_object, start=1):
        if not is_sound:
            _warn_of(file, number)
    return b"".join(line for line, is_sound in zip(lines, is_object, strict=True) if is_sound)


def drop_torn_line(file: Path) -> None:
    """Cut off what follows the last whole line: a kill came while it was written."""
    whole = len(_whole(file))
    if whole < _size(file):
        os.truncate(file, whole)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _warn_of(file: Path, number: int) -> None:
    warnings.warn(f"{file}, line {number}: no JSON object; the line is left out", stacklevel=3)


def _whole(file: Path) -> bytes:
    text = file.read_bytes() if file.is_file() else b""
    return text[: text.rfind(b"\n") + 1]


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _cut(file: Path, length: int) -> None:
    """Undo a failed append; where even that fails, the next start drops the torn line."""
    try:
        if _size(file) > length:
            os.truncate(file, length)
    except OSError:
        pass
