"""No tracking: the run directory is all there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tts_eval.tracking.progress import Progress


@dataclass(frozen=True, slots=True)
class NoTracking:
    """Tracks nothing."""

    def check(self) -> None:
        """Find nothing wrong."""

    def start(
        self, *, name: str, group: str, job_type: str, config: Mapping[str, Any], directory: Path
    ) -> NoTracker:
        """Return a tracker that takes no notes."""
        return NoTracker()


@dataclass(frozen=True, slots=True)
class NoTracker:
    """Takes no notes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def update(self, progress: Progress) -> None:
        """Take no note."""

    def finish(self, summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
        """Store nothing."""

    def publish(
        self, *, tables: Mapping[str, Sequence[Mapping[str, Any]]], images: Mapping[str, Path], page: Path
    ) -> None:
        """Store nothing."""
