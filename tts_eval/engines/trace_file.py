"""Traces that somebody else recorded: a row a sample, its columns named by the user.

Knows no run of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tts_eval import checks
from tts_eval.engines.recording import Recording, Sample
from tts_eval.model import Model
from tts_eval.records import Finish, Problem
from tts_eval.rows import read_file


@dataclass(frozen=True, slots=True)
class TraceColumns:
    """Which columns of a row say what; those that are None are not there.

    `text` is the trace, of which the answer is taken, or else `answer` the answer itself. `correct` is
    somebody's verdict on it, where there is no `gold`. `sample` orders a problem's rows; without it they
    stand in the order of the files. `score` lies in [0, 1].
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
        if (self.gold is None) == (self.correct is None):
            raise ValueError("give one of engine.gold and engine.correct: the right answer, or the verdict")
        if self.correct is not None and self.answer is None:
            raise ValueError("engine.correct goes with engine.answer: the right answers are taken for gold")


def read_traces(paths: Sequence[str], columns: TraceColumns) -> Recording:
    """Return the recording that the rows of `paths` make; raises ValueError on a row that cannot be used."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for path in paths:
        for number, row in enumerate(read_file(path).rows, start=1):
            for column in (value for value in map(columns.__getattribute__, columns.__slots__) if value):
                if column not in row:
                    raise ValueError(f"{path}, row {number}: there is no column {column!r}")
            rows.setdefault(str(row[columns.problem]), []).append(row)
    if columns.sample is not None:
        order = columns.sample
        for mine in rows.values():
            mine.sort(key=lambda row: row[order])
    return Recording(
        source=", ".join(map(str, paths)),
        task=Path(paths[0]).stem,
        model=Model(name="recorded", path=str(paths[0])),
        problems=tuple(_problem(problem_id, mine, columns) for problem_id, mine in rows.items()),
        samples={
            problem_id: tuple(_sample(problem_id, row, columns) for row in mine)
            for problem_id, mine in rows.items()
        },
    )


def _problem(problem_id: str, rows: Sequence[Mapping[str, Any]], columns: TraceColumns) -> Problem:
    level = None if columns.level is None else rows[0][columns.level]
    if level is not None:
        checks.whole_number(f"{columns.level} of problem {problem_id}", level, minimum=0)
    if columns.gold is not None:
        golds = {str(row[columns.gold]) for row in rows}
        if len(golds) > 1:
            raise ValueError(f"problem {problem_id} has several gold answers: {', '.join(sorted(golds))}")
        return Problem(problem_id, problem_id, golds.pop(), level)
    right = [str(row[columns.answer or ""]) for row in rows if row[columns.correct or ""]]
    return Problem(problem_id, problem_id, right[0] if right else "no sample was right", level)


def _sample(problem_id: str, row: Mapping[str, Any], columns: TraceColumns) -> Sample:
    answer = None if columns.answer is None else row[columns.answer]
    text = str(row[columns.text]) if columns.text is not None else "" if answer is None else _boxed(answer)
    score = None if columns.score is None else row[columns.score]
    tokens = None if columns.tokens is None else row[columns.tokens]
    if score is not None:
        checks.number(f"{columns.score} of problem {problem_id}", score, minimum=0, maximum=1)
    if tokens is not None:
        checks.whole_number(f"{columns.tokens} of problem {problem_id}", tokens, minimum=1)
    return Sample(text, Finish.END, num_tokens=tokens, score=score)


def _boxed(answer: Any) -> str:
    return f"\\boxed{{{answer}}}"
