"""What is found in real responses, against a reading of them by eye.

readings.jsonl holds the ends of SmolLM2-135M-Instruct's responses to GSM8K problems (at most 400 tokens) and
the answer read in each, null where it states none, written down before any program's was looked at.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tts_eval.grading.answers import extract_answer
from tts_eval.grading.grade import Verdict
from tts_eval.grading.grader import Grader

# It states two quantities and no answer; the last number is a guess.
GUESSED = {"gsm8k-68"}


@pytest.mark.asyncio(loop_scope="package")
async def test_what_is_found_is_what_was_read(grader: Grader) -> None:
    rows = [json.loads(line) for line in (Path(__file__).parent / "readings.jsonl").read_text().splitlines()]
    assert len(rows) > 60

    async def agrees(read: str | None, found: str | None) -> bool:
        if read is None or found is None:
            return read is found
        return (await grader.grade(read, found)).verdict is Verdict.EQUAL

    found = [extract_answer(row["text"], is_truncated=row["is_truncated"]) for row in rows]
    agreements = await asyncio.gather(
        *(agrees(row["read"], answer) for row, answer in zip(rows, found, strict=True))
    )
    assert {row["problem_id"] for row, agreed in zip(rows, agreements, strict=True) if not agreed} == GUESSED
