"""What a run's files hold, read once for all checks, and how two figures are held against each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tts_eval.rundir.manifest import Manifest
from tts_eval.rundir.outcome import Outcome
from tts_eval.spend import Call
from tts_eval.summary.summary import Summary

REL_TOLERANCE = 1e-6  # sums of the same numbers in another order
ABS_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Evidence:
    """A run: its manifest and summary, the finished problems, and their calls with all drafts known."""

    manifest: Manifest
    summary: Summary
    outcomes: Sequence[Outcome]
    calls: Sequence[Call]


def differing(what: str, found: Any, expected: Any) -> Iterator[str]:
    """Yield a line unless `found` is `expected`; numbers up to rounding, None equal to None alone."""
    if not _is_same(found, expected):
        yield f"{what}: {_shown(found)}, should be {_shown(expected)}"


def _is_same(found: Any, expected: Any) -> bool:
    if isinstance(found, int | float) and isinstance(expected, int | float):
        if math.isnan(found) or math.isnan(expected):
            return math.isnan(found) and math.isnan(expected)
        return math.isclose(found, expected, rel_tol=REL_TOLERANCE, abs_tol=ABS_TOLERANCE)
    return bool(found == expected)


def _shown(value: Any) -> str:
    return f"{value:.9g}" if isinstance(value, float) else repr(value)
