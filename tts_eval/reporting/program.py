"""What `python -m tts_eval.report` does: read the runs, print the findings, write the files."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tts_eval.analysis.frames import load
from tts_eval.reporting.contents import contents_of
from tts_eval.reporting.decisions import Rates
from tts_eval.reporting.group import groups_of
from tts_eval.reporting.page import write_page
from tts_eval.reporting.publishing import publish
from tts_eval.reporting.tables import print_group, write_tables
from tts_eval.tracking.protocol import Tracking


def write_report(
    directories: Sequence[Path],
    *,
    folder: Path,
    tracking: Tracking,
    rates: Rates | None = None,
    run_noise: float | None = None,
) -> None:
    """Report on every finished run in `directories`; raises ValueError where there is nothing to say.

    At stated `rates` decisions.csv tells what each cell is worth; `run_noise` is what is stated of runs where
    none are repeats (see `Cells`).
    """
    with _no_garbage_collection():
        groups, without_accuracy = groups_of(load(*directories), run_noise=run_noise)
        if not groups:
            raise ValueError(
                "no run there has an accuracy (drafts accepted by chance, or no gold answers), and there is "
                "no frontier without one"
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_tables(folder, groups, rates=rates)
    from tts_eval.reporting.figures import draw_figures  # matplotlib takes a second to import

    contents = [contents_of(group, rates=rates) for group in groups]
    figures: list[Path] = []
    for number, (group, content) in enumerate(zip(groups, contents, strict=True), start=1):
        own = folder / "figures" if len(groups) == 1 else folder / "figures" / f"{number}"
        figures += draw_figures(own, group, content)
        print_group(group, rates=rates)
    made_at = datetime.now(UTC).strftime("made %Y-%m-%d %H:%M UTC")
    write_page(folder / "report.html", contents, without_accuracy=without_accuracy, made_at=made_at)
    for name in without_accuracy:
        print(f"left out, without accuracies: {name}", file=sys.stderr)
    publish(tracking, folder, groups, figures)
    print(f"report: {folder / 'report.html'}", file=sys.stderr)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Spare the collector millions of lines that are read and dropped at once: it doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
