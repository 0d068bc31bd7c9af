"""MATH-500 is read whole, in order, with its levels."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tasks.math500 import Math500

ROW = {
    "problem": "What is $1+1$?",
    "solution": "It is $\\boxed{2}$.",
    "answer": "2",
    "subject": "Algebra",
    "level": 1,
    "unique_id": "test/algebra/1.json",
}


def write(folder: Path, *rows: dict[str, object]) -> str:
    file = folder / "math.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return str(file)


def test_a_row_becomes_a_problem(tmp_path: Path) -> None:
    (problem,) = Math500(path=write(tmp_path, ROW)).problems()

    assert (problem.id, problem.question, problem.gold) == ("test/algebra/1.json", "What is $1+1$?", "2")
    assert (problem.level, problem.metadata) == (1, {"subject": "Algebra"})


def test_a_row_without_an_answer_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, ROW, ROW | {"answer": None, "unique_id": "test/algebra/2.json"})

    with pytest.raises(ValueError, match=r"row 2 \(id 'test/algebra/2\.json'\): column 'answer' is empty"):
        Math500(path=path).problems()


def test_a_file_of_another_benchmark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no column 'problem'; its columns are question, answer"):
        Math500(path=write(tmp_path, {"question": "1+1", "answer": "#### 2"})).problems()


@pytest.mark.parametrize("limit", [0, -1, 1.5, "ten", True])
def test_a_limit_must_be_a_whole_number_from_one(limit: object) -> None:
    with pytest.raises(ValueError, match=r"task\.limit must be a whole number from 1, not "):
        Math500(limit=limit)  # type: ignore[arg-type]


def test_a_missing_file_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ValueError, match=r"task\.path=nowhere\.jsonl is not a file"):
        Math500(path="nowhere.jsonl")


def test_the_public_file_is_read_whole_and_in_order(public_data: Path) -> None:
    problems = Math500(path=str(public_data / "math500.jsonl")).problems()
    first = Math500(path=str(public_data / "math500.jsonl"), limit=7).problems()

    assert len(problems) == 500
    assert Counter(p.level for p in problems) == {1: 43, 2: 90, 3: 105, 4: 128, 5: 134}
    assert Counter(p.metadata["subject"] for p in problems)["Algebra"] == 124
    assert problems[0].id == "test/precalculus/807.json"
    assert first == problems[:7]
