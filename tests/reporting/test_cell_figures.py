"""The figures of a cell: keys that summaries have, and repeats pooled as the axes pool them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import tts_eval
from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.reporting.cell_figures import OF_PROBLEMS, POOLED, cell_figures
from tts_eval.reporting.group import groups_of
from tts_eval.reporting.tables import print_group


def is_there(key: str, columns: pd.Index) -> bool:
    """Say whether a summary has the key, or null in the place of what it is part of."""
    parts = key.split(".")
    return any(".".join(parts[:length]) in columns for length in range(1, len(parts) + 1))


def test_every_key_that_the_report_asks_for_is_in_a_real_summary(runs: Path) -> None:
    frames = tts_eval.load(runs)
    missing = [key for key in (*POOLED, *OF_PROBLEMS) if not is_there(key, frames.runs.columns)]
    assert missing == []
    weights = {"num_problems", "num_correct", "tokens.generated", "tokens.prompt", "wall_s", "usd_total"}
    assert weights <= set(frames.runs.columns)
    assert {key.partition(".")[0] for key in OF_PROBLEMS} <= set(frames.problems.columns)


def test_repeats_are_pooled_as_the_axes_pool_them(runs: Path) -> None:
    frames = tts_eval.load(runs)
    merged = frames.of_runs(frames.runs.index)
    merged.runs["cell"], merged.problems["cell"] = "all", "all"
    merged.runs["seed"] = range(len(merged.runs))
    row = cell_figures(merged.runs, merged.problems).loc["all"]
    cells = Cells.of(merged)
    for name in ("usd_per_correct", "usd_per_problem"):
        assert row[name] == pytest.approx(cells.cost(axis_of(name))[0])
    for name in ("tta_s_p50", "tta_s_p99"):
        assert row[name.replace("_s_p", "_s.p")] == pytest.approx(cells.cost(axis_of(name))[0])
    assert row["num_problems"] == frames.runs["num_problems"].sum()
    assert row["is_seeded"] is True


def test_what_goodput_there_is_is_shown(runs: Path) -> None:
    frames = tts_eval.load(runs)
    frames.runs["goodput_problems_per_s"] = 2.0
    [group], _ = groups_of(frames)
    assert set(group.figures["goodput_problems_per_s"]) == {2.0}


def test_a_failed_cell_is_named_with_its_reason(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = tts_eval.load(runs)
    first = frames.runs["cell"].iloc[0]
    is_first = frames.problems["cell"] == first
    frames.problems["error"] = frames.problems["error"].astype(object)
    frames.problems.loc[is_first, "error"] = "IndexError: list index out of range\nmore"
    [group], _ = groups_of(frames)
    assert group.failed == {first: "6 of 6 problems failed, mostly with IndexError: list index out of range"}
    assert first not in group.on_a_frontier
    print_group(group)
    assert "on no frontier: " in capsys.readouterr().out


def test_a_figure_that_one_run_does_not_know_is_unknown(runs: Path) -> None:
    frames = tts_eval.load(runs)
    frames.runs["cell"] = "all"
    frames.runs.loc[frames.runs.index[0], "usd_per_correct"] = None
    assert "usd_per_correct" not in cell_figures(frames.runs, frames.problems.assign(cell="all"))
