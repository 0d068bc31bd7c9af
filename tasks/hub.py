"""Any data set of the Hugging Face hub, or a local copy, by its columns and the kind of its answers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from tts_eval.dataset import Columns, Row, Rows, check_file, read_file, read_hub
from tts_eval.protocols import DelegatedTask, Task
from tts_eval.protocols.bounds import one_of, whole
from tts_eval.records import Problem
from tts_eval.toolkit.choice_task import ChoiceTask, lettered
from tts_eval.toolkit.exact_task import ExactTask

KINDS = ("math", "choice", "exact", "none")
COLUMNS = ("question", "answer", "choices", "id", "level")


@dataclass(frozen=True)
class HubTask(DelegatedTask):
    """The rows of the data set `id` (config, split, revision) or of the file `path`, as problems.

    `columns` names those of question (several are joined), answer, choices, id and level; `where` keeps rows
    whose columns have a value, or one of several; `shuffle_seed` orders the rows before `limit` takes the
    first. Kinds of answers: mathematics; a `choice` among options, which stand in one column or one a column
    and are shuffled by `choices_seed`; `exact` words, or numbers within `tolerance`, or a JSON field; `none`,
    which have no gold answer and measure throughput alone. `answer_is` says what the answer of a choice is:
    an option's text, its letter, or its place from 0; null finds out. `num_problems` is how many the whole
    data set has: another number is a ValueError, as the data set has changed.
    """

    id: str | None = None
    _: KW_ONLY
    config: str | None = None
    split: str = "test"
    revision: str | None = None
    path: str | None = None
    kind: str = one_of("math", KINDS)
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    shuffle_seed: int | None = whole(None, minimum=0)
    limit: int | None = whole(None, minimum=1)
    answer_is: str | None = one_of(None, (None, "text", "letter", "index"))
    choices_seed: int | None = whole(None, minimum=0)
    tolerance: float | None = None
    ignore_case: bool = False
    json_field: str | None = None
    on_bad_row: str = one_of("fail", ("fail", "skip"))
    name: str | None = None  # type: ignore[assignment]
    num_problems: int | None = whole(None, minimum=1)
    licence: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.path is not None:
            check_file(self.path)
        elif self.id is None:
            raise ValueError("task.id must name a data set of the hub, or task.path a file")
        unknown = [name for name in self.columns if name not in COLUMNS]
        if unknown:
            raise ValueError(f"task.columns has no {unknown[0]!r}; allowed: {', '.join(COLUMNS)}")
        if self.kind == "choice" and not self.columns.get("choices"):
            raise ValueError(
                "task.kind=choice needs task.columns.choices: the column of the options, or several"
            )
        exact = {"tolerance": self.tolerance, "json_field": self.json_field, "ignore_case": self.ignore_case}
        for setting, value in exact.items():
            if value and self.kind != "exact":
                raise ValueError(f"task.{setting} is for task.kind=exact, not {self.kind}")
        if self.name is None:
            called = Path(self.path).stem if self.id is None else self.id.rpartition("/")[2]  # type: ignore[arg-type]
            object.__setattr__(self, "name", called)
        object.__setattr__(self, "own", self._of_kind())

    def problems(self) -> list[Problem]:
        """Return the problems; raises ValueError on a row that cannot be used, or warns of each."""
        rows = self._rows()
        if self.where:
            rows = rows.where(self.where)
        if self.shuffle_seed is not None:
            rows = rows.shuffled(self.shuffle_seed)
        assert self.name is not None
        return rows.problems(
            self._columns,
            name=self.name,
            limit=self.limit,
            finish=self._with_options if self.kind == "choice" else lambda problem, row: problem,
            skip=None if self.on_bad_row == "fail" else lambda fault: warnings.warn(fault, stacklevel=2),
        )

    def _of_kind(self) -> Task:
        if self.kind == "choice":
            return ChoiceTask()
        if self.kind == "exact":
            return ExactTask(self.tolerance, ignore_case=self.ignore_case, json_field=self.json_field)
        return Task()

    def _rows(self) -> Rows:
        if self.path is not None:
            return read_file(self.path)
        assert self.id is not None
        rows = read_hub(self.id, config=self.config, split=self.split, revision=self.revision)
        if self.num_problems not in (None, len(rows.rows)):
            raise ValueError(
                f"{self.id} has {len(rows.rows)} rows and had {self.num_problems}: give task.revision=..., "
                "or task.num_problems=null for the data set as it is now"
            )
        return rows

    @property
    def _columns(self) -> Columns:
        question = self.columns.get("question", "question")
        return Columns(
            (question,) if isinstance(question, str) else tuple(question),
            None if self.kind == "none" else self.columns.get("answer", "answer"),
            id=self.columns.get("id"),
            level=self.columns.get("level"),
        )

    def _with_options(self, problem: Problem, row: Row) -> Problem:
        options = _options(row, self.columns["choices"])
        assert problem.gold is not None
        answer = row[self.columns.get("answer", "answer")]
        right = _place(problem.gold, answer, options, self.answer_is)
        return lettered(problem, options, right, seed=self.choices_seed)


def _options(row: Row, column: str | list[str]) -> list[str]:
    """Return the options of a row: of several columns, of a list, or of labels and texts (as in ARC)."""
    if not isinstance(column, str):
        values = [row.get(name) for name in column]
    else:
        value = row.get(column)
        if isinstance(value, str):
            raise ValueError(f"its options in {column!r} must be a list, not {value!r:.80}")
        values = list(value["text"] if isinstance(value, Mapping) and "text" in value else value or ())
    options = ["" if value is None else str(value).strip() for value in values]
    if not options or "" in options:
        raise ValueError(f"its options in {column!r} are incomplete: {options!r:.120}")
    return options


def _place(gold: str, value: Any, options: list[str], answer_is: str | None) -> int:
    """Return which option is right; ValueError where the answer names none, or could name two."""
    letter = ord(gold) - ord("A") if len(gold) == 1 and "A" <= gold <= "J" else None
    readings = {
        "text": options.index(gold) if gold in options else None,
        "letter": letter,
        "index": int(gold) if gold.isdecimal() else None,
    }
    if answer_is is None and isinstance(value, int):
        answer_is = "index"
    kinds = readings if answer_is is None else (answer_is,)
    named = {readings[kind] for kind in kinds} & set(range(len(options)))
    if len(named) > 1:
        raise ValueError(f"its answer {gold!r} may be a text, a letter or a place: give task.answer_is")
    if not named:
        raise ValueError(f"its answer {gold!r} is none of its {len(options)} options")
    return named.pop()  # type: ignore[return-value]
