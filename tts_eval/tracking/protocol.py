"""What a run needs of a tracking service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from tts_eval.tracking.progress import Progress


class Tracker(AbstractContextManager["Tracker", None], Protocol):
    """One run under way; leaving the context without `finish` marks it as broken off if by an exception."""

    def update(self, progress: Progress) -> None:
        """Take note of how far the run is; may be called as often as one likes."""

    def finish(self, summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
        """Store the summary and one row a problem, and end the run; may wait for an upload."""

    def publish(
        self, *, tables: Mapping[str, Sequence[Mapping[str, Any]]], images: Mapping[str, Path], page: Path
    ) -> None:
        """Store a report, its tables row by row, images and HTML page, and end the run; may wait likewise."""


class Tracking(Protocol):
    """A tracking service as configured."""

    def check(self) -> None:
        """Raise ValueError if the service cannot be used as configured; loads no model, takes seconds."""

    def start(
        self, *, name: str, group: str, job_type: str, config: Mapping[str, Any], directory: Path
    ) -> Tracker:
        """Begin a run; its files lie in `directory`."""
