"""What a row of each frame holds, as read from the folder of one finished run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from tts_eval.grading.grade import Verdict
from tts_eval.records import Candidate
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.manifest import Config, Manifest, Start
from tts_eval.rundir.marks import marks_of
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.topic import topics_of
from tts_eval.statistics.intervals import CI95
from tts_eval.summary.sessions import SessionFigures
from tts_eval.summary.summary import SUMMARY, Summary
from tts_eval.summary.throughput import held_weights

Row = dict[str, object]  # what a frame has in one row, by column
Count = int | float | None
CHOSEN_BY_ENGINE = ("model_runner", "async_scheduling", "cudagraph_mode", "attention_backend")
NOT_THE_CELL = {"seed", "tracking"}  # settings by which repeats of one cell may differ


class _Unread(msgspec.Struct):
    """Is parsed and forgotten: to hold the traces of a run takes longer than to read past them."""


class _Attempt(msgspec.Struct):
    answer: str | None
    candidates: list[_Unread]


class _Grade(msgspec.Struct):
    verdict: str


class _ProblemLine(msgspec.Struct):
    problem_id: str
    level: int | None
    gold: str | None
    session: int
    error: str | None
    cut: str | None
    grade: _Grade
    spend: dict[str, Count | dict[str, Count | dict[str, Count]]]  # a `Spend`, with null for what is unknown
    attempt: _Attempt | None


_PROBLEM_LINES = msgspec.json.Decoder(_ProblemLine)


def run_row(folder: Path) -> Row:
    """Return the row of a finished run; raises ValueError where its files have another schema version."""
    directory = RunDirectory(folder)
    manifest, summary = directory.manifest(), directory.read(SUMMARY, Summary)
    assert summary is not None, "runs are found by their summary"
    config, load = manifest.config, summary.about.load
    return {
        "run": str(folder),
        **dict(_flat(Summary, summary)),
        "sweep": manifest.group,
        "seed": manifest.seed,
        "fingerprint": manifest.problems,
        "hardware": " then ".join(dict.fromkeys(start.hardware.name for start in manifest.sessions)),
        "load": None if load is None else _with_settings(load, config.get("load")),
        "without_accuracy": _without_accuracy(manifest, summary),
        "settings": {key: value for key, value in config.items() if key not in NOT_THE_CELL},
        "is_open_load": manifest.load.is_open,
        "made_with": _made_with(manifest.sessions),
        "served_by": _served_by(manifest.sessions),
    }


def _without_accuracy(manifest: Manifest, summary: Summary) -> str:
    """Return why the run has no accuracy, nothing where it has one."""
    if any(start.engine.is_synthetic for start in manifest.sessions):
        return "synthetic acceptance"
    return "no gold answers" if summary.answers.num_problems and summary.answers.accuracy is None else ""


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


def _served_by(sessions: Sequence[Start]) -> dict[str, str]:
    """Return what an engine chose by itself, for speculation otherwise than without, say."""
    chosen = [start.engine.settings for start in sessions]
    return {
        name: " then ".join(dict.fromkeys(str(settings[name]) for settings in chosen if name in settings))
        for name in CHOSEN_BY_ENGINE
        if any(name in settings for settings in chosen)
    }


def problem_frame(run: Any, row: pd.Series[Any]) -> pd.DataFrame:
    """Return a row a problem; `row` is that of the run, whose sessions' dollars and joules are shared out."""
    directory = RunDirectory(Path(run))
    text, load = directory.whole_lines("problems"), directory.manifest().load
    lines = list({line.problem_id: line for line in _PROBLEM_LINES.decode_lines(text)}.values())
    attempts = [line.attempt or _Attempt(None, []) for line in lines]
    verdicts = [line.grade.verdict for line in lines]
    has_accuracy = not row["without_accuracy"]
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
        "is_correct": [verdict == "equal" if has_accuracy else None for verdict in verdicts],
        **_columns([{k: v for k, v in line.spend.items() if k != "by_role"} for line in lines]),
    }
    frame = pd.DataFrame(columns)
    frame["tta_s"] = frame["finished_s"].astype(float) - frame["arrived_s"].astype(float)
    seconds = held_weights(load, tta_s=frame["tta_s"], calls_s=frame["calls_s"].astype(float))
    shares = seconds / seconds.groupby(frame["session"]).transform("sum")
    sessions: Sequence[SessionFigures] = row["sessions"] or ()
    for name, totals in (
        ("usd", {each.session: each.usd_total for each in sessions}),
        ("joules", {each.session: each.joules_total for each in sessions}),
    ):
        is_known = None not in totals.values()
        frame[name] = shares * frame["session"].map(totals).astype(float) if is_known else math.nan
    return frame


def call_rows(run: str) -> Iterator[Row]:
    """Yield a row an engine call that belongs to a finished problem."""
    directory = RunDirectory(Path(run))
    sessions = {line["problem_id"]: line["session"] for line in directory.lines("problems")}
    for line in directory.lines("calls"):
        if sessions.get(line["problem_id"]) == line["session"]:
            yield {"problem": line.pop("problem_id"), **line}


def candidate_rows(run: str) -> Iterator[Row]:
    """Yield a row a candidate of each problem."""
    for outcome in RunDirectory(Path(run)).outcomes():
        for sample, candidate in enumerate(outcome.attempt.candidates if outcome.attempt else ()):
            number, recorded = outcome.classes[sample], candidate.is_correct
            graded = _is_equal(outcome, candidate.answer)
            yield {
                "problem": outcome.problem_id,
                "level": outcome.level,
                "sample": sample,
                **{name: getattr(candidate, name) for name in Candidate.__slots__},
                "class": -1 if number is None else number,
                "is_correct": graded if recorded is None else recorded,
            }


def interim_rows(run: str) -> Iterator[Row]:
    """Yield a row for each time at which the best answer so far became another one."""
    for outcome in RunDirectory(Path(run)).outcomes():
        before = None
        for interim in outcome.interims:
            if interim.answer != before:
                before = interim.answer
                yield {
                    "problem": outcome.problem_id,
                    "answer": before,
                    "at_s": interim.at_s,
                    "is_correct": _is_equal(outcome, before),
                }


def _is_equal(outcome: Outcome, answer: str | None) -> bool:
    return answer is not None and outcome.verdicts.get(answer) is Verdict.EQUAL


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


def _with_settings(label: str, settings: Config | None) -> str:
    given = {key: value for key, value in (settings or {}).items() if key != "_target_" and value is not None}
    return " ".join([label, *(f"{key}={value}" for key, value in given.items())])


def _flat(kind: type, record: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the columns of a record of `kind`: those within it joined by dots, an interval by its two ends.

    Of a record that is None its columns are; one of no fixed kind (of a role, of a part) names its own.
    """
    topics = topics_of(kind)
    for name, marks in marks_of(kind).items():
        value = None if record is None else getattr(record, name)
        if name in topics:
            yield from _flat(topics[name], value, prefix)
        elif CI95 in marks:
            low, high = value or (None, None)
            yield from ((f"{prefix}{name}.low", low), (f"{prefix}{name}.high", high))
        else:
            yield from _spread(f"{prefix}{name}", value)


def _spread(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _spread(f"{name}.{key}", inner)
    elif isinstance(value, msgspec.Struct) or is_dataclass(value):
        yield from _flat(type(value), value, f"{name}.")
    else:
        yield name, value
