"""What a row of each frame holds, as read from the folder of one finished run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.manifest import Start
from tts_eval.summary.throughput import held_weights

NOT_THE_CELL = {"seed", "tracking"}  # settings by which repeats of one cell may differ


class _Unread(msgspec.Struct):
    """Is parsed and forgotten: to hold the traces of a run takes longer than to read past them."""


class _Attempt(msgspec.Struct):
    answer: str | None
    candidates: list[_Unread]


class _ProblemLine(msgspec.Struct):
    problem_id: str
    level: Any
    gold: str | None
    session: int
    error: str | None
    cut: str | None
    grade: dict[str, Any]
    spend: dict[str, Any]
    attempt: _Attempt | None


_PROBLEM_LINES = msgspec.json.Decoder(_ProblemLine)


def run_row(folder: Path) -> dict[str, Any]:
    """Return the row of a finished run; raises ValueError where its files have another schema version."""
    directory = RunDirectory(folder)
    manifest, summary = directory.manifest(), directory.read("summary.json")
    assert summary is not None, "runs are found by their summary"
    config = manifest.config
    return {
        "run": str(folder),
        **dict(_flat(summary)),
        "sweep": manifest.group,
        "seed": manifest.seed,
        "fingerprint": manifest.problems,
        "hardware": " then ".join(dict.fromkeys(start.hardware.name for start in manifest.sessions)),
        "load": None if summary["load"] is None else _with_settings(summary["load"], config.get("load")),
        "has_synthetic_acceptance": any(start.engine.is_synthetic for start in manifest.sessions),
        "settings": {key: value for key, value in config.items() if key not in NOT_THE_CELL},
        "is_open_load": manifest.load.is_open,
        "made_with": _made_with(manifest.sessions),
    }


def _made_with(sessions: Sequence[Start]) -> dict[str, str]:
    """Return what times and answers depend on beside the settings: packages, commit and machine.

    A run that was resumed elsewhere names all that it was made with.
    """
    parts = [
        {**start.versions, "commit": start.git_commit, **msgspec.structs.asdict(start.machine)}
        for start in sessions
    ]
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: " then ".join(dict.fromkeys(str(part.get(name)) for part in parts)) for name in names}


def problem_frame(run: Any, row: pd.Series[Any]) -> pd.DataFrame:
    """Return a row a problem; `row` is that of the run, whose sessions' dollars and joules are shared out."""
    directory = RunDirectory(Path(run))
    text, load = directory.whole_lines("problems"), directory.manifest().load
    lines = list({line.problem_id: line for line in _PROBLEM_LINES.decode_lines(text)}.values())
    attempts = [line.attempt or _Attempt(None, []) for line in lines]
    verdicts = [line.grade["verdict"] for line in lines]
    is_synthetic = row["has_synthetic_acceptance"]
    # Column by column: a row at a time takes three times as long, and there may be half a million.
    columns = {
        "run": [run] * len(lines),
        "cell": [row["cell"]] * len(lines),
        "problem": [line.problem_id for line in lines],
        **{name: [getattr(line, name) for line in lines] for name in ("level", "gold", "session")},
        **{name: [getattr(line, name) for line in lines] for name in ("error", "cut")},
        "answer": [attempt.answer for attempt in attempts],
        "num_candidates": [len(attempt.candidates) for attempt in attempts],
        "verdict": verdicts,
        # The text of synthetic acceptance means nothing.
        "is_correct": [None if is_synthetic else v == "equal" for v in verdicts],
        **_columns([{k: v for k, v in line.spend.items() if k != "by_role"} for line in lines]),
    }
    frame = pd.DataFrame(columns)
    frame["tta_s"] = frame["finished_s"].astype(float) - frame["arrived_s"].astype(float)
    seconds = held_weights(load, tta_s=frame["tta_s"], calls_s=frame["calls_s"].astype(float))
    shares = seconds / seconds.groupby(frame["session"]).transform("sum")
    for name in ("usd", "joules"):
        totals = {session["session"]: session[f"{name}_total"] for session in row["sessions"] or ()}
        is_known = None not in totals.values()
        frame[name] = shares * frame["session"].map(totals).astype(float) if is_known else math.nan
    return frame


def call_rows(run: str) -> Iterator[dict[str, Any]]:
    """Yield a row an engine call that belongs to a finished problem."""
    directory = RunDirectory(Path(run))
    sessions = {line["problem_id"]: line["session"] for line in directory.lines("problems")}
    for line in directory.lines("calls"):
        if sessions.get(line["problem_id"]) == line["session"]:
            yield {"problem": line.pop("problem_id"), **line}


def candidate_rows(run: str) -> Iterator[dict[str, Any]]:
    """Yield a row a candidate of each problem."""
    for line in _last_lines(run):
        for sample, candidate in enumerate(line["attempt"]["candidates"] if line["attempt"] else ()):
            number, recorded = line["classes"][sample], candidate["is_correct"]
            graded = line["verdicts"].get(candidate["answer"]) == "equal"
            yield {
                "problem": line["problem_id"],
                "level": line["level"],
                "sample": sample,
                **candidate,
                "class": -1 if number is None else number,
                "is_correct": graded if recorded is None else recorded,
            }


def interim_rows(run: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each time at which the best answer so far became another one."""
    for line in _last_lines(run):
        before = None
        for interim in line["interims"]:
            if interim["answer"] != before:
                before = interim["answer"]
                is_correct = line["verdicts"].get(before) == "equal"
                yield {"problem": line["problem_id"], **interim, "is_correct": is_correct}


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


def _last_lines(run: str) -> Iterator[dict[str, Any]]:
    yield from {line["problem_id"]: line for line in _lines_of(run)}.values()


def _lines_of(run: str) -> Iterator[dict[str, Any]]:
    return RunDirectory(Path(run)).lines("problems")


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
