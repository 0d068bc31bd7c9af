"""Rows become problems exactly as written, and every mistake in a file is told in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tts_eval.dataset import Columns, Rows, read_file

COLUMNS = Columns(("q",), "a", id="id")
ROOT = Path(__file__).resolve().parents[1]


def jsonl(folder: Path, *rows: dict[str, Any]) -> str:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def test_a_csv_keeps_the_digits_of_its_answers(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('id,q,a\n1,"two, three",0.10\n2,x,007\n', encoding="utf-8-sig")

    problems = read_file(str(file)).problems(COLUMNS, name="mine")

    assert [(p.id, p.question, p.gold) for p in problems] == [("1", "two, three", "0.10"), ("2", "x", "007")]


def test_a_json_array_and_a_parquet_file_make_the_same_problems(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = [{"id": "x", "q": "1+1", "a": 2.0}, {"id": "y", "q": "1+2", "a": 3.5}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    datasets.Dataset.from_list(rows).to_parquet(tmp_path / "rows.parquet")

    from_json, from_parquet = (
        read_file(str(tmp_path / file)).problems(COLUMNS, name="mine")
        for file in ("rows.json", "rows.parquet")
    )

    assert from_json == from_parquet
    assert [p.gold for p in from_json] == ["2", "3.5"]


def test_large_integers_and_line_separators_survive(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"id": 1, "q": "a\u2028b", "a": 10**40})

    (problem,) = read_file(path).problems(COLUMNS, name="mine")

    assert (problem.id, problem.question, problem.gold) == ("1", "a\u2028b", "1" + "0" * 40)


def test_levels_are_read_from_numbers_and_from_words() -> None:
    levels = enumerate((3, "Level 5", "4", None, ""))
    rows = Rows("r", tuple({"q": f"{number}?", "a": "1", "level": level} for number, level in levels))

    problems = rows.problems(Columns(("q",), "a", level="level"), name="r")

    assert [p.level for p in problems] == [3, 5, 4, None, None]


def test_several_question_columns_are_joined_and_problems_without_ids_are_numbered() -> None:
    rows = Rows("r", tuple({"body": f"Ann has {n}.", "ask": "How many?", "a": n} for n in (2, 3)))

    problems = rows.problems(Columns(("body", "ask"), "a"), name="r")

    assert [p.question for p in problems] == ["Ann has 2. How many?", "Ann has 3. How many?"]
    assert [p.id for p in problems] == ["r-1", "r-2"]


def test_a_limit_takes_the_first_rows_and_looks_at_no_other() -> None:
    rows = Rows("r", ({"id": 1, "q": "?", "a": "1"}, {"id": 2, "q": "?", "a": None}))

    assert [p.id for p in rows.problems(COLUMNS, name="r", limit=1)] == ["1"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (({"id": 1, "q": "?"},), "r has no column 'a'; its columns are id, q"),
        (({"id": 1, "q": "?", "a": "1"}, {"id": 2, "q": "?"}), "r, row 2 (id 2): column 'a' is empty"),
        (({"id": 1, "q": "?", "a": float("nan")},), "r, row 1 (id 1): column 'a' is empty"),
        (({"id": 1, "q": " ", "a": "1"},), "r, row 1 (id 1): column 'q' is empty"),
        (
            ({"id": 1, "q": "?", "a": ["1", "2"]},),
            "r, row 1 (id 1): column 'a' must hold one gold answer, not 2: ['1', '2']",
        ),
        (
            ({"id": 1, "q": "?"}, {"id": 2, "q": "?", "a": "1"}, {"id": 3, "q": "?", "a": ""}),
            "r, row 1 (id 1): column 'a' is empty (2 such rows)",
        ),
        (({"id": 1, "q": "?", "a": "1"},) * 2, "r, row 2 (id 1): id '1' was given to an earlier row"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(rows: tuple[dict[str, Any], ...], message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        Rows("r", rows).problems(COLUMNS, name="r")

    assert str(refusal.value) == message


def test_a_repeated_row_is_a_problem_of_its_own_only_under_an_id_of_its_own() -> None:
    rows = tuple({"id": number, "q": "?", "a": "1"} for number in (1, 2))
    with pytest.raises(ValueError, match="r, row 2: it repeats row 1; remove it, or name a column of ids"):
        Rows("r", rows).problems(Columns(("q",), "a"), name="r")
    assert len(Rows("r", rows).problems(COLUMNS, name="r")) == 2


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("empty.jsonl", "\n\n", "holds no rows"),
        ("empty.csv", "id,q,a\n", "holds no rows"),
        ("empty.json", "[]", "holds no rows"),
        ("torn.jsonl", '{"q": 1}\n{"q": ', "line 2 is not valid JSON"),
        ("list.jsonl", "[1, 2]\n", "line 1 must be an object with named columns, not [1, 2]"),
        ("object.json", '{"q": 1}', "expected an array of objects, not dict"),
        ("twice.csv", "q,a,a\n1,2,3\n", "the header has several columns 'a'"),
        ("wide.csv", "q,a\n1,2,3\n", "row 1 has more cells than the header"),
        ("latin.jsonl", b'{"q": "\xe9"}\n', "can't decode byte"),
        ("notes.txt", "hello", "must end in one of .jsonl, .json, .csv, .parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, file: str, content: str | bytes, message: str
) -> None:
    path = tmp_path / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(ValueError) as refusal:
        read_file(str(path))

    assert str(path) in str(refusal.value)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_named_with_the_place_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ValueError, match=r"task\.path=nowhere\.jsonl is not a file") as refusal:
        read_file("nowhere.jsonl")

    assert str(tmp_path / "nowhere.jsonl") in str(refusal.value)


def read_from_hub(dataset: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Ask for `dataset` in a process of its own whose hub is a closed port and whose cache is `home`."""
    code = f"from tts_eval.dataset import read_hub; print(read_hub({dataset!r}, split='test').rows)"
    env = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )


def test_an_unreachable_hub_answers_with_the_way_out(tmp_path: Path) -> None:
    process = read_from_hub("someone/benchmark", tmp_path)

    last_line = process.stderr.strip().splitlines()[-1]
    assert process.returncode != 0
    assert "cannot read someone/benchmark from the Hugging Face hub" in last_line
    assert "give task.path=FILE" in last_line
    assert "Retrying" not in process.stderr


def test_a_cached_copy_serves_without_network(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    cached = tmp_path / "datasets" / "someone___benchmark" / "default" / "0.0.0" / ("0" * 40)
    split = datasets.Dataset.from_list([{"q": "1+1", "a": "2"}])
    split.info.dataset_name = "benchmark"
    split.info.config_name = "default"
    split.info.splits = datasets.SplitDict(
        {"test": datasets.SplitInfo("test", num_examples=1, dataset_name="benchmark")}
    )
    cached.mkdir(parents=True)
    split.info.write_to_directory(cached)
    with datasets.arrow_writer.ArrowWriter(path=str(cached / "benchmark-test.arrow")) as writer:
        writer.write({"q": "1+1", "a": "2"})
        writer.finalize()

    process = read_from_hub("someone/benchmark", tmp_path)

    assert process.stdout.strip() == "({'q': '1+1', 'a': '2'},)", process.stderr


def test_a_list_of_one_gold_answer_is_that_answer() -> None:
    [problem] = Rows("r", ({"q": "?", "a": ["3"]},)).problems(Columns(("q",), "a"), name="r")
    assert problem.gold == "3"
