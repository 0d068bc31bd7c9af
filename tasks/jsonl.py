"""Anybody's own benchmark: a file of problems with named columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tts_eval.dataset import Columns, check_file, read_file
from tts_eval.protocols import Task
from tts_eval.protocols.bounds import whole
from tts_eval.records import Problem


@dataclass(frozen=True)
class Jsonl(Task):
    """A JSONL, JSON, CSV or Parquet file; the fields other than `path` and `limit` name its columns.

    Several `question` columns are joined by a space. Without an `id` column problems are numbered; without a
    `level` column they have no level. `limit` takes the first so many problems, at most.
    """

    path: str
    question: str | Sequence[str] = "question"
    answer: str = "answer"
    id: str | None = None
    level: str | None = None
    limit: int | None = whole(None, minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.columns.question:
            raise ValueError("task.question must name a column or several, not none")
        check_file(self.path)

    @property
    def name(self) -> str:
        """What the benchmark is called in tables: its file's name."""
        return Path(self.path).stem

    @property
    def columns(self) -> Columns:
        """Which column means what."""
        question = (self.question,) if isinstance(self.question, str) else tuple(self.question or ())
        return Columns(question, self.answer, id=self.id, level=self.level)

    def problems(self) -> list[Problem]:
        """Return the problems in file order; raises ValueError on a row that cannot be used."""
        return read_file(self.path).problems(self.columns, name=self.name, limit=self.limit)
