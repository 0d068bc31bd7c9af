"""Answers that are words, numbers within a tolerance, or a JSON field: nothing is read into them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.grading.boxes import boxes
from tts_eval.grading.grade import Grade, Reason, Verdict
from tts_eval.protocols import Task
from tts_eval.protocols.bounds import number
from tts_eval.records import Problem

_STATED = re.compile(r"\banswer\W{0,4}(?:\s*(?:is|would be|:|=))+[\s*_]*(?=\S)", re.I)
_FURTHER = re.compile(r"(?<=[a-z]{4})[.!?]\s+(?=[A-Z])|(?<=\d)\.\s+(?=[A-Z])")  # not in "St. Gallen"
_TEXT = re.compile(r"\\(?:text|textbf|mathrm)\s*\{([^{}]*)\}")
_QUOTES = "\"'`\u201c\u201d\u2018\u2019\u00ab\u00bb*_$ \t"


@dataclass(frozen=True)
class ExactTask(Task):
    """A task whose answers are compared as they stand, but for white space around and within them.

    With `tolerance` two numbers are the same if they differ by at most that, relative to the larger or
    absolutely; with `ignore_case` so are words in other case. `json_field` is the field of the last JSON
    object in a text that has it; else the last box counts, then the last statement ("the answer is") up to
    its end or the next sentence, then the last line.
    """

    tolerance: float | None = number(None, minimum=0.0, maximum=1.0)
    ignore_case: bool = False
    json_field: str | None = None

    def extract(self, text: str) -> str | None:
        """Return the answer that `text` states, None where it states none."""
        if self.json_field is not None:
            return _field(text, self.json_field)
        if boxed := boxes(text):
            return _bare(_TEXT.sub(r"\1", boxed[-1].content))
        stated = list(_STATED.finditer(text))
        lines = [line for line in text.splitlines() if line.strip()]
        said = text[stated[-1].end() :].splitlines()[0] if stated else lines[-1] if lines else ""
        return _bare(_FURTHER.split(said)[0] if stated else said) or None

    async def grade(self, problem: Problem, answer: str) -> Grade:
        """Return whether `answer` is the gold answer."""
        if problem.gold is None:
            return Grade(Verdict.UNDECIDED, Reason.NO_GOLD)
        return Grade(Verdict.EQUAL if self._same(problem.gold, answer) else Verdict.UNEQUAL)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        """Return the classes of answers that are the same as their first, the largest first."""
        classes: list[list[int]] = []
        for index, answer in enumerate(answers):
            if answer is None:
                continue
            for members in classes:
                if self._same(answers[members[0]] or "", answer):
                    members.append(index)
                    break
            else:
                classes.append([index])
        return sorted(classes, key=lambda members: (-len(members), members[0]))

    def _same(self, left: str, right: str) -> bool:
        one, other = (" ".join(text.split()) for text in (left, right))
        if self.ignore_case:
            one, other = one.casefold(), other.casefold()
        if one == other or self.tolerance is None:
            return one == other
        numbers = _number(one), _number(other)
        if None in numbers:
            return False
        return math.isclose(*numbers, rel_tol=self.tolerance, abs_tol=self.tolerance)  # type: ignore[arg-type]


def _field(text: str, name: str) -> str | None:
    """Return the field `name` of the last JSON object in `text` that has it."""
    decoder, found, place = json.JSONDecoder(), None, text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError):
            value, end = None, place + 1
        if isinstance(value, dict) and name in value:
            field = value[name]
            found = field if isinstance(field, str) else json.dumps(field)
        place = text.find("{", end)
    return found


def _bare(text: str) -> str:
    """Return `text` without quotes, emphasis and a full stop around it."""
    return text.strip(_QUOTES).removesuffix(".").strip(_QUOTES)


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
