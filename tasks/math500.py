"""MATH-500: 500 competition problems in five levels (Lightman et al., 2023; from Hendrycks et al., 2021)."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.dataset import Columns, check_file, read_file, read_hub
from tts_eval.protocols import Task
from tts_eval.protocols.bounds import whole
from tts_eval.records import Problem

COLUMNS = Columns(("problem",), "answer", id="unique_id", level="level", metadata=("subject",))


@dataclass(frozen=True)
class Math500(Task):
    """MATH-500 from the hub or a local copy; `limit` takes the first so many problems, at most."""

    path: str | None = None
    limit: int | None = whole(None, minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.path is not None:
            check_file(self.path)

    def problems(self) -> list[Problem]:
        """Return the problems in file order; raises ValueError on a row that cannot be used."""
        rows = read_hub("HuggingFaceH4/MATH-500", split="test") if self.path is None else read_file(self.path)
        return rows.problems(COLUMNS, name=self.name, limit=self.limit)
