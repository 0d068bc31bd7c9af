"""Traces that somebody else recorded: a row a sample, its columns named by the user."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tts_eval.dataset import level_of, read_file
from tts_eval.engines.replay import trace_values as values
from tts_eval.engines.replay.recording import Recording, Sample
from tts_eval.model import Model
from tts_eval.records import Finish, Problem
from tts_eval.rundir.fingerprint import fingerprint

_BRACE = re.compile(r"\\.|[{}]", re.S)


@dataclass(frozen=True, slots=True)
class TraceColumns:
    """Which columns of a row say what; those that are None are not there.

    `text` is the trace, of which the answer is taken, or else `answer` the answer itself. `correct` is
    somebody's verdict on the sample and stands, whatever the grader would say; a sample without one is graded
    by `gold`, and undecided where there is none. `sample` orders a problem's rows; without it they are in
    the order of the files. `score` is any number; where not all lie in [0, 1] only their order is used.
    """

    problem: str
    text: str | None = None
    answer: str | None = None
    gold: str | None = None
    correct: str | None = None
    sample: str | None = None
    score: str | None = None
    tokens: str | None = None
    level: str | None = None

    def __post_init__(self) -> None:
        if (self.text is None) == (self.answer is None):
            raise ValueError("give one of engine.text and engine.answer: the trace, or the answer it states")
        if self.gold is None and self.correct is None:
            raise ValueError(
                "give one of engine.gold and engine.correct, or both: the right answer, the verdict"
            )


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, read: a sample and what it says of its problem."""

    problem_id: str
    order: values.SampleOrder
    gold: str | None
    level: int | None
    sample: Sample


def read_traces(
    paths: Sequence[str], columns: TraceColumns, *, task: str | None = None, model: str | None = None
) -> Recording:
    """Return the recording that the rows of `paths` make; raises ValueError on a row that cannot be used.

    `task` names the benchmark, None: as the first file; `model` names what wrote the traces.
    """
    rows: dict[str, list[_Row]] = {}
    for path in paths:
        for number, cells in enumerate(read_file(path).rows, start=1):
            try:
                row = _row(cells, columns)
            except ValueError as error:
                raise ValueError(f"{path}, row {number}: {error}") from None
            rows.setdefault(row.problem_id, []).append(row)
    for mine in rows.values():
        mine.sort(key=lambda row: row.order)
    problems = tuple(_problem(problem_id, mine) for problem_id, mine in rows.items())
    return Recording(
        source=", ".join(map(str, paths)),
        task=task or Path(paths[0]).stem,
        model=Model(name=model or "recorded", path=str(paths[0])),
        problems=problems,
        samples={problem_id: tuple(row.sample for row in mine) for problem_id, mine in rows.items()},
        fingerprint=fingerprint(problems),
        unknown=frozenset({"draft"}),
    )


def _row(cells: Mapping[str, Any], columns: TraceColumns) -> _Row:
    for column in (value for value in map(columns.__getattribute__, columns.__slots__) if value):
        if column not in cells:
            raise ValueError(f"there is no column {column!r}")

    def cell(column: str | None) -> Any:
        return None if column is None else cells[column]

    def name(column: str | None) -> str:
        return f"column {column!r}"

    gold = None
    if columns.gold is not None:
        gold = values.given(name(columns.gold), values.text(name(columns.gold), cell(columns.gold)))
    return _Row(
        problem_id=values.given(name(columns.problem), values.text(columns.problem, cell(columns.problem))),
        order=(0, 0.0, ()) if columns.sample is None else values.order(columns.sample, cell(columns.sample)),
        gold=gold,
        level=level_of(cell(columns.level)),
        sample=Sample(
            text=_text(cells, columns),
            finish=Finish.END,
            num_tokens=values.whole_number(name(columns.tokens), cell(columns.tokens), minimum=1),
            score=values.number(name(columns.score), cell(columns.score)),
            scoring=() if columns.score is None else None,
            is_correct=values.verdict(name(columns.correct), cell(columns.correct)),
        ),
    )


def _text(cells: Mapping[str, Any], columns: TraceColumns) -> str:
    """Return the trace, or one that states the answer."""
    if columns.answer is None:
        trace = None if columns.text is None else cells[columns.text]
        if trace is not None and not isinstance(trace, str):
            raise ValueError(f"column {columns.text!r} must be text, not {trace!r:.60}")
        return trace or ""
    answer = values.text(f"column {columns.answer!r}", cells[columns.answer])
    return "" if answer is None else _boxed(answer)


def _boxed(answer: str) -> str:
    r"""Return `answer` in a box, its braces as \{ and \} where they would open or close it."""
    depth = 0
    for match in _BRACE.finditer(answer):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth < 0:
            break
    if depth:
        answer = _BRACE.sub(lambda match: match[0] if len(match[0]) > 1 else f"\\{match[0]}", answer)
    return f"\\boxed{{{answer}{' ' * answer.endswith(chr(92))}}}"


def _problem(problem_id: str, rows: Sequence[_Row]) -> Problem:
    golds = sorted({row.gold for row in rows if row.gold is not None})
    if len(golds) > 1:
        raise ValueError(f"problem {problem_id} has several gold answers: {', '.join(golds)}")
    level = next((row.level for row in rows if row.level is not None), None)
    return Problem(problem_id, problem_id, golds[0] if golds else None, level)
