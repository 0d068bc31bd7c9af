"""GSM8K: 1319 grade-school word problems whose answers are numbers (Cobbe et al., 2021)."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.dataset import Columns, check_file, read_file, read_hub
from tts_eval.protocols import Task
from tts_eval.protocols.bounds import whole
from tts_eval.records import Problem

COLUMNS = Columns(("question",), "answer")


@dataclass(frozen=True)
class Gsm8k(Task):
    """GSM8K's test split from the hub or a local copy; `limit` takes the first so many problems, at most."""

    path: str | None = None
    limit: int | None = whole(None, minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.path is not None:
            check_file(self.path)

    def problems(self) -> list[Problem]:
        """Return the problems in file order; raises ValueError on a row that cannot be used."""
        if self.path is None:
            rows = read_hub("openai/gsm8k", config="main", split="test")
        else:
            rows = read_file(self.path)
        return rows.problems(COLUMNS, name=self.name, limit=self.limit, gold=gold_answer)


def gold_answer(solution: str) -> str:
    """Return the number after the `####` that ends a worked solution, without thousands commas."""
    _, mark, answer = solution.rpartition("####")
    gold = answer.replace(",", "").strip()
    if not mark or not gold:
        raise ValueError("no answer after '####' in column 'answer' (for bare answers there is task=jsonl)")
    return gold
