"""GSM8K's gold answers are the numbers after the four hashes."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tasks.gsm8k import Gsm8k, gold_answer


@pytest.mark.parametrize(
    ("solution", "gold"),
    [
        ("9 * 2 = <<9*2=18>>18 dollars.\n#### 18", "18"),
        ("#### 1,234,567", "1234567"),
        ("#### -5", "-5"),
        ("ticket #### 7 is not it\n#### 8", "8"),
    ],
)
def test_the_gold_answer_follows_the_last_mark(solution: str, gold: str) -> None:
    assert gold_answer(solution) == gold


@pytest.mark.parametrize("answer", ["18", "the answer is 18\n####"])
def test_a_solution_without_a_marked_answer_is_named(tmp_path: Path, answer: str) -> None:
    file = tmp_path / "g.jsonl"
    file.write_text(json.dumps({"question": "?", "answer": answer}))

    with pytest.raises(ValueError, match=r"g\.jsonl, row 1: no answer after '####' in column 'answer'"):
        Gsm8k(path=str(file)).problems()


def test_the_public_file_holds_1319_numbers(public_data: Path) -> None:
    problems = Gsm8k(path=str(public_data / "gsm8k_test.jsonl")).problems()

    assert len(problems) == 1319
    assert len({p.id for p in problems}) == 1319
    assert problems[0].question.startswith("Janet")
    assert [Fraction(str(p.gold)) for p in problems[:3]] == [18, 3, 70000]
    assert all(Fraction(str(p.gold)).denominator == 1 for p in problems)
