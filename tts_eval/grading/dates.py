"""Days of the calendar, March 5 and 2020-03-05, which algebra would subtract."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tts_eval.grading.grade import Verdict

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:,? ?\d{4})?"
IN_WORDS = re.compile(
    rf"\b{_MONTH} {_DAY}(?!\d|:){_YEAR}|(?<![\d.]){_DAY} (?:of )?{_MONTH}(?![A-Za-z]){_YEAR}", re.I
)
_IN_DIGITS = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}([/.-])\d{1,2}\1\d{4}")
_PART = re.compile(r"\d+|[A-Za-z]{3}")


@dataclass(frozen=True, slots=True)
class _Day:
    month: int
    day: int
    year: int | None


def compare(gold: str, answer: str) -> Verdict | None:
    """Compare two normal forms of which one is a day; None where words or algebra compare them better.

    Undecided is 5/6/2020, which may be in May or in June, and a day of which only one side states the year.
    """
    mine, theirs = _read(gold), _read(answer)
    if not (mine and theirs):
        in_digits = any(_IN_DIGITS.fullmatch(text) for text in (gold, answer))
        return Verdict.UNDECIDED if in_digits and (mine or theirs) else None
    if mine == theirs:
        return Verdict.EQUAL if len(mine) == 1 else Verdict.UNDECIDED
    may_be_same = any(
        (one.month, one.day) == (other.month, other.day)
        and (one.year == other.year or None in (one.year, other.year))
        for one in mine
        for other in theirs
    )
    return Verdict.UNDECIDED if may_be_same else Verdict.UNEQUAL


def is_day(normal: str) -> bool:
    """Tell whether a normal form is a day of the calendar."""
    return bool(_read(normal))


def _read(text: str) -> set[_Day]:
    """Return the days that a text may be."""
    if not (IN_WORDS.fullmatch(text) or _IN_DIGITS.fullmatch(text)):
        return set()
    parts = _PART.findall(text)
    month = next((part for part in parts if part[:3].lower() in _MONTHS), None)
    numbers = [int(part) for part in parts if part.isdigit()]
    if month:
        day, year = numbers[0], numbers[1] if len(numbers) > 1 else None
        return _valid(_Day(_MONTHS.index(month[:3].lower()) + 1, day, year))
    if numbers[0] > 31:
        return _valid(_Day(numbers[1], numbers[2], numbers[0]))
    return _valid(*(_Day(month, day, numbers[2]) for month, day in (numbers[:2], numbers[1::-1])))


def _valid(*days: _Day) -> set[_Day]:
    return {day for day in days if 1 <= day.month <= 12 and 1 <= day.day <= 31}
