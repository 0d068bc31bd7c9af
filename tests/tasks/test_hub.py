"""Data sets by their columns: each shipped one on rows of its schema, kinds of answers, bad rows."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate

from tasks.hub import HubTask
from tts_eval.grading.grade import Verdict
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.options import option_names, options
from tts_eval.toolkit.choice_task import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
HERE = [parent / "shared" / "data" for parent in ROOT.parents]
FOLDERS = [Path(os.environ["TTS_EVAL_DATA"])] if "TTS_EVAL_DATA" in os.environ else HERE
HUB = {
    name: settings
    for name, settings in options("task", option_names("task")).items()
    if settings._target_ == "tasks.hub.HubTask" and name != "hub"
}
QUESTION = {"question": "question"}


def written(folder: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as a JSONL file."""
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def made_up_row(settings: Any, number: int) -> dict[str, Any]:
    """Return a row in the schema of a configuration."""
    columns = settings.columns
    questions = [columns.question] if isinstance(columns.question, str) else list(columns.question)
    row: dict[str, Any] = {name: f"Part {name} of problem {number}?" for name in questions}
    if settings.kind != "choice":
        row[columns.answer] = str(number)
    elif isinstance(columns.choices, str):
        row |= {columns.choices: [f"it is {n}" for n in range(10)], columns.answer: "ABCDEFGHIJ"[number]}
    else:
        row |= {name: f"text of {name}" for name in columns.choices}
    if columns.id is not None:
        row[columns.id] = number
    return row


@pytest.mark.parametrize("name", HUB)
def test_a_shipped_task_reads_rows_of_its_schema(name: str, tmp_path: Path) -> None:
    settings = HUB[name]
    rows = [made_up_row(settings, number) for number in range(5)]
    task: HubTask = instantiate(settings, path=written(tmp_path, rows), _convert_="all")
    problems = task.problems()

    assert task.name == name
    assert len({problem.id for problem in problems}) == 5
    assert all(problem.gold for problem in problems)
    assert settings.num_problems
    if settings.kind == "choice":
        assert all(len(problem.metadata[OPTIONS]) in (4, 10) for problem in problems)


def test_the_page_lists_every_shipped_task() -> None:
    page = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    expected = []
    for name, task in HUB.items():
        source = ", ".join(part for part in (task.id, task.config, task.split) if part)
        licence = task.licence or "not stated"
        expected.append(f"| `{name}` | {task.kind} | {task.num_problems} | {source} | {licence} |")
    assert rows == expected


@pytest.mark.parametrize(
    ("name", "file", "num_problems"),
    [("svamp", "svamp_1000.jsonl", 1000), ("olymmath_easy", "olymmath_en_easy.jsonl", 100)],
)
async def test_a_shipped_task_reads_the_published_file(name: str, file: str, num_problems: int) -> None:
    found = next((folder / file for folder in FOLDERS if (folder / file).is_file()), None)
    if found is None:
        pytest.skip(f"no {file}")
    task: HubTask = instantiate(HUB[name], path=str(found), _convert_="all")
    problems = task.problems()

    assert len(problems) == num_problems
    async with GradingPool(num_workers=1) as pool:
        graded = task.with_grader(Grader(pool))
        for problem in problems[:40]:
            assert problem.gold is not None
            assert (await graded.grade(problem, problem.gold)).verdict is Verdict.EQUAL
            assert (await graded.grade(problem, "-987654321")).verdict is Verdict.UNEQUAL


@pytest.mark.parametrize(
    ("answer", "settings", "gold"),
    [
        ("B", {}, "B"),
        ("Rome", {}, "B"),
        (1, {}, "B"),
        ("1", {"answer_is": "index"}, "B"),
        ("B", {"answer_is": "letter"}, "B"),
    ],
)
def test_the_answer_of_a_choice(answer: Any, settings: dict[str, Any], gold: str, tmp_path: Path) -> None:
    row = {"question": "Where?", "answer": answer, "choices": ["Paris", "Rome", "Oslo"]}
    columns = {**QUESTION, "choices": "choices"}
    task = HubTask(path=written(tmp_path, [row]), kind="choice", columns=columns, **settings)
    [problem] = task.problems()

    assert problem.gold == gold
    assert problem.question.startswith("Where?\n\nA. Paris\nB. Rome\nC. Oslo\n")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            {"answer": "2", "choices": ["1", "2", "3", "4"]},
            "may be a text, a letter or a place",
        ),
        ({"answer": "E", "choices": ["1", "2"]}, "'E' is none of its 2 options"),
        ({"answer": 2, "choices": ["1", "2"]}, "'2' is none of its 2 options"),
        ({"answer": "A", "choices": ["1", ""]}, "incomplete"),
        ({"answer": "A", "choices": "['1', '2']"}, "must be a list"),
        ({"answer": "A", "choices": ["1"]}, "2 to 10 options, not 1"),
    ],
)
def test_a_choice_that_cannot_be_asked_names_its_row(row: dict[str, Any], says: str, tmp_path: Path) -> None:
    fine = {"question": "Which?", "answer": "A", "choices": ["x", "y"]}
    path = written(tmp_path, [fine, {"question": "Where?", **row}])
    columns = {**QUESTION, "choices": "choices"}
    with pytest.raises(ValueError, match=r"rows\.jsonl, row 2: ") as raised:
        HubTask(path=path, kind="choice", columns=columns).problems()
    assert says in str(raised.value)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        kept = HubTask(path=path, kind="choice", columns=columns, on_bad_row="skip").problems()
    assert [problem.question[:6] for problem in kept] == ["Which?"]
    assert ["row 2" in str(warning.message) for warning in told] == [True]


def test_rows_are_chosen_and_ordered_whatever_order_they_came_in(tmp_path: Path) -> None:
    rows = [{"question": f"{n}?", "answer": n, "subject": "ab"[n % 2], "n": n} for n in range(20)]
    columns = {**QUESTION, "id": "n"}
    several: dict[str, Any] = {"columns": columns, "where": {"subject": "a"}, "shuffle_seed": 3, "limit": 5}
    first = HubTask(path=written(tmp_path, rows), **several).problems()
    again = HubTask(path=written(tmp_path, rows[::-1]), **several).problems()
    other = HubTask(path=written(tmp_path, rows), **{**several, "shuffle_seed": 4}).problems()

    assert first == again != other
    assert len(first) == 5
    assert all(int(problem.id) % 2 == 0 for problem in first)
    with pytest.raises(ValueError, match=r"has no row where \{'subject': 'c'\}"):
        HubTask(path=written(tmp_path, rows), columns=columns, where={"subject": "c"}).problems()
    with pytest.raises(ValueError, match="has no column 'topic'; its columns are question"):
        HubTask(path=written(tmp_path, rows), columns=columns, where={"topic": "c"}).problems()


async def test_prompts_without_gold_have_no_verdict(tmp_path: Path) -> None:
    [problem] = HubTask(path=written(tmp_path, [{"question": "Sing."}]), kind="none").problems()
    assert problem.gold is None
    assert (await HubTask(id="x/y", kind="none").grade(problem, "la")).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "task.id must name a data set of the hub, or task.path a file"),
        ({"id": "x/y", "kind": "prose"}, "task.kind must be one of math, choice, exact, none, not 'prose'"),
        ({"id": "x/y", "columns": {"gold": "a"}}, "task.columns has no 'gold'; allowed: question, answer"),
        ({"id": "x/y", "kind": "choice"}, "task.kind=choice needs task.columns.choices"),
        ({"id": "x/y", "tolerance": 0.1}, "task.tolerance is for task.kind=exact, not math"),
        ({"id": "x/y", "limit": 0}, "task.limit must be a whole number from 1"),
        ({"path": "no.jsonl"}, "task.path=no.jsonl is not a file"),
    ],
)
def test_settings_that_make_no_task(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as raised:
        HubTask(**settings)
    assert says in str(raised.value)
