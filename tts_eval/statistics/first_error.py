"""Where a solution first goes wrong, as process reward models are tested (ProcessBench, arXiv 2412.06559)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NO_ERROR = -1


@dataclass(frozen=True, slots=True)
class FirstErrors:
    """Shares found exactly: among solutions with an error, and among those without; None where there is none.

    `f1` is the harmonic mean of the two (section 3.1); None unless both are known.
    """

    num_wrong: int
    num_right: int
    accuracy_wrong: float | None
    accuracy_right: float | None
    f1: float | None


def first_error(scores: Sequence[float], threshold: float) -> int:
    """Return the first step that scores below `threshold`, from 0; `NO_ERROR` if none does."""
    return next((step for step, score in enumerate(scores) if score < threshold), NO_ERROR)


def first_errors(found: Sequence[int], labels: Sequence[int]) -> FirstErrors:
    """Compare what was found with `labels`, the first wrong steps or `NO_ERROR`."""
    on_wrong = [f == label for f, label in zip(found, labels, strict=True) if label != NO_ERROR]
    on_right = [f == label for f, label in zip(found, labels, strict=True) if label == NO_ERROR]
    wrong, right = _share(on_wrong), _share(on_right)
    f1 = None
    if wrong is not None and right is not None:
        f1 = 2 * wrong * right / (wrong + right) if wrong + right else 0.0
    return FirstErrors(len(on_wrong), len(on_right), wrong, right, f1)


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
