"""What was asked of which weights, as two digests: runs of different ones never stand side by side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from tts_eval.records import Problem

NUM_SAMPLES, SAMPLE_BYTES = 64, 4096


def fingerprint(problems: Iterable[Problem]) -> str:
    """Return the SHA-256 of the problems' ids, questions, gold answers and levels, in whatever order."""
    digest = hashlib.sha256()
    for problem in sorted(problems, key=lambda problem: (problem.id, problem.question)):
        content = [problem.id, problem.question, problem.gold, problem.level]
        digest.update(json.dumps(content, ensure_ascii=False).encode() + b"\n")
    return f"sha256:{digest.hexdigest()}"


def checkpoint_fingerprint(folder: Path) -> str:
    """Return the SHA-256 of the folder's files: names, sizes and 64 evenly spread samples of each.

    Weights that were trained on differ everywhere, so that samples tell them apart without reading them all.
    """
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.iterdir() if file.is_file() and file.name[0] != "."):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as content:
            for number in range(min(NUM_SAMPLES, 1 + size // SAMPLE_BYTES)):
                content.seek(max(0, size - SAMPLE_BYTES) * number // NUM_SAMPLES)
                digest.update(content.read(SAMPLE_BYTES))
    return f"sha256:{digest.hexdigest()}"
