"""Anybody's file becomes a benchmark by naming its columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tasks.jsonl import Jsonl

CONF = Path(__file__).resolve().parents[2] / "conf" / "task" / "jsonl.yaml"


def test_columns_are_named_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "farm.csv"
    file.write_text("ID,Body,Question,Answer,Grade\nf1,Ann has 2 hens.,How many legs?,4,3\n")
    overrides = [f"path={file}", "question=[Body,Question]", "answer=Answer", "id=ID", "level=Grade"]

    task = instantiate(OmegaConf.merge(OmegaConf.load(CONF), OmegaConf.from_dotlist(overrides)))
    (problem,) = task.problems()

    assert task.name == "farm"
    assert (problem.id, problem.question) == ("f1", "Ann has 2 hens. How many legs?")
    assert (problem.gold, problem.level) == ("4", 3)


def test_an_unknown_column_lists_those_that_are_there(tmp_path: Path) -> None:
    file = tmp_path / "farm.csv"
    file.write_text("Body,Answer\nAnn has 2 hens.,2\n")

    with pytest.raises(ValueError, match=r"has no column 'question'; its columns are Body, Answer"):
        Jsonl(str(file)).problems()


def test_no_question_column_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"task\.question must name a column or several"):
        Jsonl("any.jsonl", question=[])


@pytest.mark.parametrize(
    ("file", "columns", "num_problems"),
    [
        ("svamp_1000.jsonl", {"question": ["Body", "Question"], "answer": "Answer", "id": "ID"}, 1000),
        ("olymmath_en_easy.jsonl", {"question": "problem", "id": "unique_id"}, 100),
    ],
)
def test_public_files_are_read_whole(
    public_data: Path, file: str, columns: dict[str, object], num_problems: int
) -> None:
    problems = Jsonl(str(public_data / file), **columns).problems()  # type: ignore[arg-type]

    assert len(problems) == num_problems
    if file.startswith("svamp"):
        assert all(str(p.gold).lstrip("-").isdigit() for p in problems)
