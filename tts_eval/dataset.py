"""Rows of a benchmark, from a local file or the Hugging Face hub, and the problems that they make."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tts_eval.hub import why_unreachable
from tts_eval.records import Problem

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a row make which part of a problem.

    Several `question` columns are joined by a space; without an `id` column a problem is called after its
    row number, without an `answer` column it has no gold answer. `metadata` columns are taken along where
    there are any.
    """

    question: tuple[str, ...]
    answer: str | None
    id: str | None = None
    level: str | None = None
    metadata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of `source`, a file or a hub id, in order; row 1 is the first."""

    source: str
    rows: tuple[Row, ...]

    def where(self, wanted: Mapping[str, Any]) -> Rows:
        """Return the rows whose columns hold a wanted value, or one of several; ValueError if none does."""
        allowed = {
            column: values if isinstance(values, list | tuple) else [values]
            for column, values in wanted.items()
        }
        for column in allowed:
            self._check_column(column)
        kept = [row for row in self.rows if all(row.get(name) in values for name, values in allowed.items())]
        if not kept:
            raise ValueError(f"{self.source} has no row where {wanted}")
        return Rows(self.source, tuple(kept))

    def shuffled(self, seed: int) -> Rows:
        """Return the rows in an order of their own content and `seed`, whatever order they came in."""
        return Rows(self.source, tuple(sorted(self.rows, key=lambda row: _digest(row, seed))))

    def problems(
        self,
        columns: Columns,
        *,
        name: str,
        limit: int | None = None,
        gold: Callable[[str], str] = str.strip,
        finish: Callable[[Problem, Row], Problem] = lambda problem, row: problem,
        skip: Callable[[str], None] | None = None,
    ) -> list[Problem]:
        """Return the problems of the first `limit` rows, of all for None.

        Without an id column they are called `name`-1, `name`-2, … `gold` takes the gold answer out of the
        answer column, `finish` makes of a problem and its row the one that is asked. Raises ValueError on a
        column that no row has, and on rows without a question or an answer, or with the id of an earlier row;
        where there are no ids, also on one that repeats another, which would count twice. The message names
        the first such row and says how many there are. With `skip` faulty rows are told to it and left out.
        """
        self._check_columns(columns)
        found: dict[str, Problem] = {}
        first: dict[tuple[str, str | None], int] = {}
        faults: list[str] = []
        for number, row in enumerate(self.rows[:limit], start=1):
            try:
                problem = finish(_problem(row, columns, default_id=f"{name}-{number}", gold=gold), row)
                if problem.id in found:
                    raise ValueError(f"id {problem.id!r} was given to an earlier row")
                earlier = first.setdefault((problem.question, problem.gold), number)
                if columns.id is None and earlier != number:
                    raise ValueError(f"it repeats row {earlier}; remove it, or name a column of ids")
                found[problem.id] = problem
            except ValueError as error:
                called = "" if columns.id is None else f" (id {row.get(columns.id)!r})"
                faults.append(f"row {number}{called}: {error}")
        if skip is not None:
            for fault in faults:
                skip(f"{self.source}, {fault}")
        elif faults:
            others = f" ({len(faults)} such rows)" if len(faults) > 1 else ""
            raise ValueError(f"{self.source}, {faults[0]}{others}")
        return list(found.values())

    def _check_columns(self, columns: Columns) -> None:
        for column in (*columns.question, columns.answer, columns.id, columns.level):
            if column is not None:
                self._check_column(column)

    def _check_column(self, column: str) -> None:
        there = list(dict.fromkeys(column for row in self.rows for column in row))
        if column not in there:
            raise ValueError(f"{self.source} has no column {column!r}; its columns are {', '.join(there)}")


def check_file(path: str) -> None:
    """Reject a `task.path` that is no file, or one of a kind that cannot be read."""
    file = Path(str(path)).expanduser()
    if not file.is_file():
        raise ValueError(f"task.path={path} is not a file (looked for {file.absolute()})")
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"task.path={path} must end in one of {', '.join(SUFFIXES)}")


def read_file(path: str) -> Rows:
    """Read a JSONL, JSON (an array of objects), CSV (with a header) or Parquet file.

    Text formats are read as they stand, without type inference: a gold answer 0.10 or 007 keeps its digits.
    """
    check_file(path)
    file = Path(path).expanduser()
    read = {".jsonl": _jsonl, ".json": _json, ".csv": _csv, ".parquet": _parquet}[file.suffix.lower()]
    try:
        rows = tuple(read(file))
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path}: {error}") from error
    if not rows:
        raise ValueError(f"{path} holds no rows")
    return Rows(path, rows)


def read_hub(dataset: str, *, split: str, config: str | None = None, revision: str | None = None) -> Rows:
    """Read a split of a hub dataset; without network, the copy in the user's cache if there is one."""
    import datasets  # type: ignore[import-untyped]
    from huggingface_hub import HfApi

    unreachable = why_unreachable(HfApi().dataset_info, dataset)
    was_offline = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = was_offline or bool(unreachable)
    datasets.disable_progress_bars()
    try:
        table = datasets.load_dataset(dataset, config, split=split, revision=revision)
    except Exception as error:
        raise ValueError(
            f"cannot read {dataset} from the Hugging Face hub ({unreachable or error}) nor from the local "
            f"cache; give task.path=FILE ({', '.join(SUFFIXES)})"
        ) from error
    finally:
        datasets.config.HF_HUB_OFFLINE = was_offline
    return Rows(dataset, tuple(table))


def _problem(
    row: Mapping[str, Any], columns: Columns, *, default_id: str, gold: Callable[[str], str]
) -> Problem:
    question = " ".join(_text(row, column) for column in columns.question)
    answer = (
        None if columns.answer is None else gold(_text(_with_single(row, columns.answer), columns.answer))
    )
    return Problem(
        id=default_id if columns.id is None else _text(row, columns.id),
        question=question,
        gold=answer,
        level=None if columns.level is None else level_of(row.get(columns.level)),
        metadata={column: row[column] for column in columns.metadata if column in row},
    )


def _with_single(row: Mapping[str, Any], column: str) -> Mapping[str, Any]:
    """Return the row with a list of one gold answer as that answer; several are rejected."""
    value = row.get(column)
    if not isinstance(value, list | tuple):
        return row
    if len(value) != 1:
        raise ValueError(
            f"column {column!r} must hold one gold answer, not {len(value)}: {list(value)!r:.80}"
        )
    return {**row, column: value[0]}


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number: 145.0 is the answer 145
    if value is None or (isinstance(value, float) and math.isnan(value)) or str(value).strip() == "":
        raise ValueError(f"column {column!r} is empty")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"column {column!r} must hold text or a number, not {value!r}")
    return str(value).strip()


def level_of(value: Any) -> int | None:
    """Return the level that a cell states, as 3 or 'Level 3'; None for an empty one."""
    if value is None or str(value).strip() == "":
        return None
    match = re.fullmatch(r"(?:level\s*)?(\d+)(?:\.0)?", str(value).strip(), re.IGNORECASE)
    if match is None:
        raise ValueError(f"a level must be a whole number, as in 3 or 'Level 3', not {value!r}")
    return int(match[1])


def _jsonl(file: Path) -> Iterator[Mapping[str, Any]]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _object(_parse(line, where=f"line {number}"), where=f"line {number}")


def _json(file: Path) -> Iterator[Mapping[str, Any]]:
    array = _parse(file.read_text(encoding="utf-8-sig"), where="the file")
    if not isinstance(array, list):
        raise ValueError(f"expected an array of objects, not {type(array).__name__}")
    for number, value in enumerate(array, start=1):
        yield _object(value, where=f"entry {number}")


def _csv(file: Path) -> Iterator[Mapping[str, Any]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.DictReader(text, restval="", strict=True)
        header = rows.fieldnames or []
        if twice := [name for name in dict.fromkeys(header) if header.count(name) > 1]:
            raise ValueError(f"the header has several columns {twice[0]!r}")
        for number, row in enumerate(rows, start=1):
            if None in row:
                raise ValueError(f"row {number} has more cells than the header")
            yield row


def _parquet(file: Path) -> Iterator[Mapping[str, Any]]:
    import datasets

    # Streaming reads the file itself; the ordinary way would leave a converted copy in the user's cache.
    yield from datasets.load_dataset("parquet", data_files=str(file), split="train", streaming=True)


def _parse(text: str, *, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where} is not valid JSON: {error}") from None


def _object(value: Any, *, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object with named columns, not {value!r:.60}")
    return value


def _digest(row: Row, seed: int) -> str:
    content = json.dumps([seed, sorted(row.items())], ensure_ascii=False, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
