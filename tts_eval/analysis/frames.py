"""Finished runs as pandas frames, and which of them may be compared with one another."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tts_eval.analysis.frame_rows import (
    NOT_THE_CELL,
    Row,
    call_rows,
    candidate_rows,
    interim_rows,
    problem_frame,
    run_row,
)

GROUPED_BY = ["task", "fingerprint", "without_accuracy"]


@dataclass(frozen=True)
class Frames:
    """`runs` has a row a run, `problems` a row a problem of a run, the others what happened within a problem.

    `run` is the run's folder and the index of `runs`. `cell` is the same for repeats: runs that differ in
    nothing but seed and tracking, made by the same versions and commit on like machines; `load` tells the
    load with its settings, `sweep` the sweep's folder. `usd` is a problem's share of the run's dollars. Runs
    may be compared if they asked the same problems under the same load (replayed runs have none), and if all
    of them have an accuracy or none has: `without_accuracy` says why not.
    """

    runs: pd.DataFrame
    problems: pd.DataFrame

    @cached_property
    def calls(self) -> pd.DataFrame:
        """A row an engine call that belongs to a finished problem."""
        return _stacked(self.runs.index, call_rows)

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """A row a candidate: `sample` counts in its problem, `class` is that of its answer (-1: none)."""
        return _stacked(self.runs.index, candidate_rows)

    @cached_property
    def interims(self) -> pd.DataFrame:
        """A row for each time at which the best answer so far became another one."""
        return _stacked(self.runs.index, interim_rows)

    def groups(self) -> dict[str, Frames]:
        """Return the runs that may be compared, by group; replayed ones stand with every load."""
        found = {}
        for _, alike in self.runs.groupby(GROUPED_BY, sort=False):
            loads = list(dict.fromkeys(alike["load"].dropna())) or [None]
            for load in loads:
                chosen = alike[alike["load"].isna() | (alike["load"] == load)]
                found[_group_name(chosen, load)] = self.of_runs(chosen.index)
        return found

    def of_runs(self, runs: pd.Index[Any]) -> Frames:
        """Return the frames of `runs` alone."""
        return Frames(self.runs.loc[runs], self.problems[self.problems["run"].isin(runs)])

    def comparable(self) -> Frames:
        """Return these frames; raises ValueError where their runs may not be compared."""
        groups = list(self.groups())
        if len(groups) > 1:
            raise ValueError(
                f"these runs cannot be compared: {'; '.join(groups)}. Take one of the groups that "
                "Frames.groups() returns"
            )
        return self


def load(*directories: str | Path) -> Frames:
    """Return the frames of every finished run in `directories` (runs, sweeps, or folders of these).

    Runs without a summary are left out with a warning. Raises ValueError where there is no run, and on a run
    of another schema version than this program's.
    """
    folders = [folder for directory in directories for folder in _run_folders(Path(directory))]
    finished = [folder for folder in dict.fromkeys(folders) if (folder / "summary.json").is_file()]
    if len(finished) < len(folders):
        left_out = sorted({str(folder) for folder in folders} - {str(folder) for folder in finished})
        if left_out:
            warnings.warn(f"runs without a summary are left out: {', '.join(left_out)}", stacklevel=2)
    if not finished:
        places = ", ".join(map(str, directories)) or "no folder given"
        raise ValueError(f"no finished run there (a run has manifest.json and summary.json): {places}")
    runs = pd.DataFrame([run_row(folder) for folder in finished]).set_index("run")
    runs = pd.concat(
        [runs, pd.Series(_cell_names(runs), runs.index, name="cell")], axis=1
    )  # not column by column
    problems = pd.concat([problem_frame(run, row) for run, row in runs.iterrows()], ignore_index=True)
    return Frames(runs, problems)


def _run_folders(directory: Path) -> list[Path]:
    found = sorted(file.parent for file in directory.rglob("manifest.json"))
    if not found:
        raise ValueError(f"{directory}: no run is there (a run has manifest.json)")
    return found


def _cell_names(runs: pd.DataFrame) -> list[str]:
    """Name each cell after its overrides without the seed; different cells of one name are numbered.

    Those that differ only in what they were made with are told apart by that, as in cot [vllm 0.11.0].
    """
    keys_of: dict[str, list[str]] = {}
    made_with: dict[str, list[dict[str, str]]] = {}
    numbered = []
    for _, run in runs.iterrows():
        name = ",".join(part for part in run["name"].split(",") if part.split("=")[0] not in NOT_THE_CELL)
        name = name or run["strategy"]
        what = [run["settings"], run["hardware"], run["provenance"], run["model"], run["fingerprint"]]
        key = json.dumps(what, sort_keys=True)
        keys = keys_of.setdefault(name, [])
        if key not in keys:
            keys.append(key)
        number = keys.index(key) + 1
        numbered.append(name if number == 1 else f"{name} #{number}")
        made_with.setdefault(numbered[-1], []).append(run["made_with"])
    return [
        name + _difference(own, made_with[name])
        for name, own in zip(numbered, runs["made_with"], strict=True)
    ]


def _difference(own: Mapping[str, str], all_: Sequence[Mapping[str, str]]) -> str:
    """Return what `own` has other than some of `all_`, in brackets; nothing where they are alike."""
    names = dict.fromkeys(name for one in all_ for name in one)
    differing = [name for name in names if len({one.get(name) for one in all_}) > 1]
    return f" [{', '.join(f'{name} {own.get(name)}' for name in differing)}]" if differing else ""


def _stacked(runs: pd.Index[Any], rows_of: Callable[[str], Iterable[Row]]) -> pd.DataFrame:
    return pd.DataFrame([{"run": run, **row} for run in runs for row in rows_of(run)])


def _group_name(runs: pd.DataFrame, load: str | None) -> str:
    first = runs.iloc[0]
    number = first["fingerprint"].removeprefix("sha256:")[:8]
    why = f", {first['without_accuracy']}" if first["without_accuracy"] else ""
    return f"{first['task']} ({first['num_problems']} problems, {number}), load {load}{why}"
