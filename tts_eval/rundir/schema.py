"""Which documents of a run this program can read: those written under its own schema version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

SCHEMA_VERSION = 3


def read_document(file: Path) -> dict[str, Any]:
    """Read manifest.json or summary.json of a run.

    Raises:
        ValueError: The file is no such document, or was written under another schema version.
    """
    try:
        document = dict(orjson.loads(file.read_bytes()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file} is no document of a run: {error}") from error
    version = document.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise ValueError(
            f"{file.parent} was written under schema {version}; only {SCHEMA_VERSION} is read: "
            "run it again, or use the tts_eval that wrote it"
        )
    return document
