"""A run's documents as JSON: how they are written, and the one place where their schema is checked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import orjson

from tts_eval.rundir.topic import by_topic, side_by_side

SCHEMA_VERSION = 3
LAYOUT = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
Document = TypeVar("Document")


class _Versioned(msgspec.Struct):
    """What every document has, whatever its schema."""

    schema_version: int


def plain(record: Any) -> Any:
    """Return a record as JSON has it: infinity, for which JSON has no number, is "inf", and NaN is None."""
    return _finite(msgspec.to_builtins(side_by_side(record), str_keys=True))


def encode(record: Any) -> bytes:
    """Return the indented text of a document."""
    return orjson.dumps(plain(record), option=LAYOUT)


def decode(file: Path, kind: type[Document]) -> Document:
    """Read manifest.json or summary.json of a run; "inf" is an infinite float again.

    Raises:
        ValueError: The file is no such document, or was written under another schema version.
    """
    text = file.read_bytes()
    try:
        version = msgspec.json.decode(text, type=_Versioned).schema_version
        if version == SCHEMA_VERSION:
            figures = msgspec.json.decode(text, type=dict[str, Any])
            return msgspec.convert(by_topic(figures, kind), kind, strict=False)  # lax, for "inf"
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} is no document of a run: {error}") from error
    raise ValueError(
        f"{file.parent} was written under schema {version}; only {SCHEMA_VERSION} is read: "
        "run it again, or use the tts_eval that wrote it"
    )


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case float() if math.isnan(value):
            return None
        case float() if math.isinf(value):
            return str(value)
    return value
