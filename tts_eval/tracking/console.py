"""The progress of a run for people: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as RichProgress

from tts_eval.tracking.progress import Progress


def progress_display(num_problems: int, *, stream: TextIO | None = None) -> ProgressDisplay:
    """Return a bar where `stream` (None: standard error) is a terminal, and quiet lines where it is not."""
    stream = sys.stderr if stream is None else stream
    console = Console(file=stream)
    if stream.isatty() and not console.is_dumb_terminal:
        return ProgressBar(num_problems, console=console)
    return ProgressLines(stream)


class ProgressBar:
    """A bar with accuracy so far, tokens a second and time left."""

    def __init__(self, num_problems: int, *, console: Console) -> None:
        self._bar = RichProgress(
            SpinnerColumn(),  # turns between two updates, so that a long problem does not look like a hang
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            expand=True,
            refresh_per_second=4,
        )
        self._task: TaskID = self._bar.add_task("", total=num_problems, figures="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        self._bar.update(self._task, completed=progress.num_done, figures=", ".join(_figures(progress)))


class ProgressLines:
    """One line at every tenth of the problems, and in between whenever `every_s` seconds have passed."""

    def __init__(self, stream: TextIO, *, every_s: float = 60.0) -> None:
        self._stream = stream
        self._every_s = every_s
        self._shown: Progress | None = None
        self._latest: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._latest is not None and self._latest != self._shown:
            self._show(self._latest)

    def update(self, progress: Progress) -> None:
        self._latest = progress
        shown_tenths = 0 if self._shown is None else _tenths(self._shown)
        shown_at_s = 0.0 if self._shown is None else self._shown.elapsed_s
        if _tenths(progress) > shown_tenths or progress.elapsed_s - shown_at_s >= self._every_s:
            self._show(progress)

    def _show(self, progress: Progress) -> None:
        self._shown = progress
        parts = [f"{progress.num_done}/{progress.num_problems} problems", *_figures(progress)]
        if progress.usd is not None:
            parts.append(f"${progress.usd:.4f}" if progress.usd < 1 else f"${progress.usd:,.2f}")
        if progress.num_done == progress.num_problems:
            parts.append(f"took {_clock(progress.elapsed_s)}")
        print(", ".join(parts), file=self._stream, flush=True)


ProgressDisplay = ProgressBar | ProgressLines  # shows progress from entry to exit


def _tenths(progress: Progress) -> int:
    return 10 * progress.num_done // max(progress.num_problems, 1)


def _figures(progress: Progress) -> list[str]:
    """Return what is known, in words."""
    figures = []
    if progress.accuracy is not None:
        figures.append(f"accuracy {progress.accuracy:.1%}")
    if progress.num_failed:
        figures.append(f"{progress.num_failed} failed")
    if progress.tokens_per_s is not None:
        figures.append(f"{progress.tokens_per_s:,.0f} tokens/s")
    if progress.remaining_s:
        figures.append(f"{_clock(progress.remaining_s)} left")
    return figures


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
