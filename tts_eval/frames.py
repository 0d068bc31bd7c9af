"""Finished runs as pandas frames, and which of them may be compared with one another.

Knows no figure of its own: the columns are the keys of the files (docs/reference.md), joined by dots.
"""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tts_eval.running.directory import RunDirectory
from tts_eval.running.manifest import SCHEMA_VERSION

GROUPED_BY = ["task", "fingerprint", "has_synthetic_acceptance"]
NOT_THE_CELL = {"seed", "tracking"}  # settings by which repeats of one cell may differ


@dataclass(frozen=True)
class Frames:
    """`runs` has a row a run, `problems` a row a problem of a run, the others what happened within a problem.

    `run` is the run's folder and the index of `runs`. `cell` is the same for runs that differ in nothing but
    seed and tracking; `load` tells the load with its settings, `sweep` the sweep's folder. `usd` is a
    problem's share of the run's dollars, by the seconds of its calls. Runs may be compared if they asked the
    same problems under the same load (replayed runs have none), and if the acceptance of draft tokens was
    real in all of them or synthetic in all of them.
    """

    runs: pd.DataFrame
    problems: pd.DataFrame

    @cached_property
    def calls(self) -> pd.DataFrame:
        """A row an engine call that belongs to a finished problem."""
        return _stacked(self.runs.index, _calls)

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """A row a candidate: `sample` counts in its problem, `class` is that of its answer (-1: none)."""
        return _stacked(self.runs.index, _candidates)

    @cached_property
    def interims(self) -> pd.DataFrame:
        """A row for each time at which the best answer so far became another one."""
        return _stacked(self.runs.index, _interims)

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
    runs = pd.DataFrame([_run(folder) for folder in finished]).set_index("run")
    runs["cell"] = _cell_names(runs)
    problems = pd.concat([_problems(run, row) for run, row in runs.iterrows()], ignore_index=True)
    return Frames(runs, problems)


def _run_folders(directory: Path) -> list[Path]:
    found = sorted(file.parent for file in directory.rglob("manifest.json"))
    if not found:
        raise ValueError(f"{directory}: no run is there (a run has manifest.json)")
    return found


def _run(folder: Path) -> dict[str, Any]:
    directory = RunDirectory(folder)
    manifest, summary = directory.read("manifest.json"), directory.read("summary.json")
    assert manifest is not None and summary is not None
    if summary["schema_version"] != SCHEMA_VERSION:
        raise ValueError(
            f"{folder} has schema version {summary['schema_version']}, this program reads {SCHEMA_VERSION}; "
            "runs of different versions are not mixed"
        )
    config = manifest["config"]
    return {
        "run": str(folder),
        **dict(_flat(summary)),
        "sweep": manifest["group"],
        "seed": manifest["seed"],
        "fingerprint": manifest["problems"],
        "hardware": manifest["hardware"]["name"],
        "load": None if summary["load"] is None else _with_settings(summary["load"], config.get("load")),
        "has_synthetic_acceptance": manifest["sessions"][-1]["engine"]["is_synthetic"],
        "settings": {key: value for key, value in config.items() if key not in NOT_THE_CELL},
    }


def _cell_names(runs: pd.DataFrame) -> list[str]:
    """Name each cell after its overrides without the seed; different cells of one name are numbered."""
    keys_of: dict[str, list[str]] = {}
    names = []
    for _, run in runs.iterrows():
        name = ",".join(part for part in run["name"].split(",") if part.split("=")[0] not in NOT_THE_CELL)
        name = name or run["strategy"]
        what = [run["settings"], run["hardware"], run["provenance"], run["model"], run["fingerprint"]]
        key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        keys = keys_of.setdefault(name, [])
        if key not in keys:
            keys.append(key)
        number = keys.index(key) + 1
        names.append(name if number == 1 else f"{name} #{number}")
    return names


def _problems(run: Any, row: pd.Series[Any]) -> pd.DataFrame:
    lines = list({line["problem_id"]: line for line in map(_without_traces, _lines_of(run))}.values())
    verdicts = [line["grade"]["verdict"] for line in lines]
    is_synthetic = row["has_synthetic_acceptance"]
    # Column by column: a row at a time takes three times as long, and there may be half a million.
    columns = {
        "run": [run] * len(lines),
        "cell": [row["cell"]] * len(lines),
        "problem": [line["problem_id"] for line in lines],
        **{name: [line[name] for line in lines] for name in ("level", "gold", "session", "error", "cut")},
        **{name: [line[name] for line in lines] for name in ("answer", "num_candidates")},
        "verdict": verdicts,
        # The text of synthetic acceptance means nothing.
        "is_correct": [None if is_synthetic else v == "equal" for v in verdicts],
        **_columns([line["spend"] for line in lines]),
    }
    frame = pd.DataFrame(columns)
    frame["tta_s"] = frame["finished_s"].astype(float) - frame["arrived_s"].astype(float)
    seconds = frame["calls_s"].astype(float)
    for name in ("usd", "joules"):
        total = row.get(f"{name}_total")
        frame[name] = math.nan if total is None else total * seconds / seconds.sum()
    return frame


def _without_traces(line: dict[str, Any]) -> dict[str, Any]:
    """Drop traces and trees at once: to hold those of a whole run takes longer than to read them."""
    attempt = line.pop("attempt") or {"answer": None, "candidates": []}
    return {**line, "answer": attempt["answer"], "num_candidates": len(attempt["candidates"])}


def _columns(records: Sequence[Mapping[str, Any]], prefix: str = "") -> dict[str, list[Any]]:
    """Return records of the same keys as columns, nested ones joined by dots."""
    columns: dict[str, list[Any]] = {}
    for key in records[0] if records else ():
        values = [record[key] for record in records]
        if isinstance(values[0], Mapping):
            columns |= _columns(values, f"{prefix}{key}.")
        else:
            columns[f"{prefix}{key}"] = values
    return columns


def _calls(run: str) -> Iterator[dict[str, Any]]:
    directory = RunDirectory(Path(run))
    sessions = {line["problem_id"]: line["session"] for line in directory.lines("problems")}
    for line in directory.lines("calls"):
        if sessions.get(line["problem_id"]) == line["session"]:
            yield {"problem": line.pop("problem_id"), **line}


def _candidates(run: str) -> Iterator[dict[str, Any]]:
    for line in _last_lines(run):
        for sample, candidate in enumerate(line["attempt"]["candidates"] if line["attempt"] else ()):
            number = line["classes"][sample]
            yield {
                "problem": line["problem_id"],
                "level": line["level"],
                "sample": sample,
                **candidate,
                "class": -1 if number is None else number,
                "is_correct": line["verdicts"].get(candidate["answer"]) == "equal",
            }


def _interims(run: str) -> Iterator[dict[str, Any]]:
    for line in _last_lines(run):
        before = None
        for interim in line["interims"]:
            if interim["answer"] != before:
                before = interim["answer"]
                is_correct = line["verdicts"].get(before) == "equal"
                yield {"problem": line["problem_id"], **interim, "is_correct": is_correct}


def _last_lines(run: str) -> Iterator[dict[str, Any]]:
    yield from {line["problem_id"]: line for line in _lines_of(run)}.values()


def _lines_of(run: str) -> Iterator[dict[str, Any]]:
    return RunDirectory(Path(run)).lines("problems")


def _stacked(runs: pd.Index[Any], rows_of: Any) -> pd.DataFrame:
    return pd.DataFrame([{"run": run, **row} for run in runs for row in rows_of(run)])


def _group_name(runs: pd.DataFrame, load: str | None) -> str:
    first = runs.iloc[0]
    number = first["fingerprint"].removeprefix("sha256:")[:8]
    synthetic = ", synthetic acceptance" if first["has_synthetic_acceptance"] else ""
    return f"{first['task']} ({first['num_problems']} problems, {number}), load {load}{synthetic}"


def _with_settings(label: str, settings: Mapping[str, Any] | None) -> str:
    given = {key: value for key, value in (settings or {}).items() if key != "_target_" and value is not None}
    return " ".join([label, *(f"{key}={value}" for key, value in given.items())])


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif key.endswith("_ci95"):
            low, high = (None, None) if value is None else map(_number, value)
            yield f"{prefix}{key}.low", low
            yield f"{prefix}{key}.high", high
        else:
            yield f"{prefix}{key}", _number(value)


def _number(value: Any) -> Any:
    return math.inf if value == "inf" else value
