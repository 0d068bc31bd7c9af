"""What a set of problems is, in one line for the manifest: two runs agree on it only if they asked the same.

Knows nothing of where the problems came from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from tts_eval.records import Problem


def fingerprint(problems: Iterable[Problem]) -> str:
    """Return the SHA-256 of the problems' ids, questions, gold answers and levels, in whatever order."""
    digest = hashlib.sha256()
    for problem in sorted(problems, key=lambda problem: (problem.id, problem.question)):
        content = [problem.id, problem.question, problem.gold, problem.level]
        digest.update(json.dumps(content, ensure_ascii=False).encode() + b"\n")
    return f"sha256:{digest.hexdigest()}"
