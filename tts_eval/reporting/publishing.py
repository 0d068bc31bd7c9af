"""The report as a run of a tracking service: frontier points, regret, figures and the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tts_eval.reporting.group import Group, plain_rows
from tts_eval.reporting.tables import frontier_table, regret_table
from tts_eval.tracking.protocol import Tracking


def publish(tracking: Tracking, folder: Path, groups: Sequence[Group], figures: Sequence[Path]) -> None:
    """Store tables `frontier` and `regret`, the figures by their path, and report.html; may wait."""
    tables = {"frontier": frontier_table(groups), "regret": regret_table(groups)}
    config = {"groups": [group.name for group in groups]}
    name = f"report {folder.name}"
    with tracking.start(name=name, group="", job_type="report", config=config, directory=folder) as tracker:
        tracker.publish(
            tables={key: plain_rows(table) for key, table in tables.items()},
            images={str(file.relative_to(folder).with_suffix("")): file for file in figures},
            page=folder / "report.html",
        )
