"""Agreement with the verdicts of others, on public data: skipped where they are not."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tts_eval.grading.answers import extract_answer
from tts_eval.grading.grade import Verdict
from tts_eval.grading.grader import Grader
from tts_eval.grading.messages import Job, Reply
from tts_eval.grading.normal_form import normalize
from tts_eval.grading.pool import GradingPool

from .conftest import Rows

pytestmark = pytest.mark.asyncio(loop_scope="package")

# Rows of grader_pairs.jsonl on which we differ; docs/grading.md explains each.
DISAGREEMENTS = {31, 32, 133, 139, 162, 172, 186, 189, 190, 261, 300, 303, 304, 317}


async def test_we_agree_with_other_graders_but_for_a_known_few(grader: Grader, rows: Rows) -> None:
    pairs = rows("grader_pairs.jsonl")

    async def agrees(pair: dict[str, Any]) -> bool:
        gold, answer = pair["gold"], pair["pred"]
        if pair["kind"] == "raw_text":
            gold, answer = extract_answer(gold) or "", extract_answer(answer) or ""
        grade = await grader.grade(gold, answer)
        return (grade.verdict is Verdict.EQUAL) == bool(pair["equal"])

    agreements = await asyncio.gather(*map(agrees, pairs))
    assert {pair["i"] for pair, agreed in zip(pairs, agreements, strict=True) if not agreed} == DISAGREEMENTS
    assert sum(agreements) >= 0.95 * len(pairs)


async def test_every_gold_answer_of_math500_parses_and_equals_itself(grader: Grader, rows: Rows) -> None:
    golds = [row["answer"] for row in rows("math500.jsonl")]
    assert len(golds) == 500
    assert await grader.check_golds(golds) == []
    grades = await asyncio.gather(*(grader.grade(gold, gold) for gold in golds))
    assert {grade.verdict for grade in grades} == {Verdict.EQUAL}


async def test_algebra_too_finds_every_gold_answer_of_math500_equal_to_itself(
    warm_pool: GradingPool, rows: Rows
) -> None:
    golds = [normalize(row["answer"]) for row in rows("math500.jsonl")]
    replies = await asyncio.gather(*(warm_pool.submit(Job(gold, gold)) for gold in golds))
    assert set(replies) == {Reply(equal=True)}


async def test_every_gold_answer_of_math500_is_found_in_its_own_solution(grader: Grader, rows: Rows) -> None:
    problems = rows("math500.jsonl")
    grades = await asyncio.gather(
        *(grader.grade(problem["answer"], extract_answer(problem["solution"])) for problem in problems)
    )
    assert {grade.verdict for grade in grades} == {Verdict.EQUAL}


async def test_golds_of_neighbouring_problems_are_not_equal_but_where_they_are(
    grader: Grader, rows: Rows
) -> None:
    golds = [row["answer"] for row in rows("math500.jsonl")]
    pairs = [(one, other) for one, other in pairwise(golds) if normalize(one) != normalize(other)]
    grades = await asyncio.gather(*(grader.grade(one, other) for one, other in pairs))
    odd = [pair for pair, grade in zip(pairs, grades, strict=True) if grade.verdict is not Verdict.UNEQUAL]
    assert odd == [("5", "x=5")]


async def test_the_cases_of_the_audit_come_out_as_wanted(grader: Grader, rows: Rows) -> None:
    """An undecided verdict will do where the answers differ."""

    async def verdict(case: dict[str, Any]) -> Verdict:
        answer = extract_answer(case["given"]) if case["mode"] == "text" else case["given"]
        return (await grader.grade(case["gold"], answer)).verdict

    cases = rows("grading_audit.jsonl")
    verdicts = await asyncio.gather(*map(verdict, cases))
    wrong = [
        case
        for case, given in zip(cases, verdicts, strict=True)
        if (given is Verdict.EQUAL) != (case["want"] == "equal")
    ]
    assert wrong == []
