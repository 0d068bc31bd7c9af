"""Ratios and times of day, 3:4 and 2:30, which algebra would divide."""

from __future__ import annotations

import re
from fractions import Fraction

from tts_eval.grading.grade import Verdict
from tts_eval.grading.rationals import read_number

_TERM = r"-?\d+(?:\.\d+)?"
_RATIO = re.compile(rf"{_TERM}(?: ?: ?{_TERM})+")
_IN_WORDS = re.compile(rf"({_TERM}) to ({_TERM})")
_CLOCK = re.compile(r"\d{1,2}(?::[0-5]\d){1,2}")


def compare(gold: str, answer: str) -> Verdict | None:
    """Compare two normal forms of which one is a ratio; None where neither is, or algebra may divide it.

    Proportional ratios are equal, but two that may both be times of day are only where they are the same.
    """
    ratios = [text for text in (gold, answer) if _RATIO.fullmatch(text)]
    if len(ratios) == 1:
        other = answer if ratios[0] == gold else gold
        if words := _IN_WORDS.fullmatch(other):  # 3 to 4 beside 3:4; elsewhere it may be a range
            return _compare(_terms(ratios[0]), _terms(f"{words[1]}:{words[2]}"))
        return _against_a_number(ratios[0], other)
    if not ratios:
        return None
    if all(map(_CLOCK.fullmatch, ratios)) and gold != answer:
        return Verdict.UNEQUAL if _compare(*map(_terms, ratios)) is Verdict.UNEQUAL else Verdict.UNDECIDED
    return _compare(*map(_terms, ratios))


def is_ratio(normal: str) -> bool:
    """Tell whether a normal form is a ratio or a time of day."""
    return bool(_RATIO.fullmatch(normal))


def _against_a_number(ratio: str, other: str) -> Verdict | None:
    terms, number = _terms(ratio), read_number(other)
    if number is None or len(terms) > 2:
        return None if number is None else Verdict.UNEQUAL
    is_quotient = terms[1] != 0 and terms[0] / terms[1] == number.value
    if _CLOCK.fullmatch(ratio):
        return Verdict.UNDECIDED if is_quotient else Verdict.UNEQUAL
    return Verdict.EQUAL if is_quotient else Verdict.UNEQUAL


def _compare(mine: list[Fraction], theirs: list[Fraction]) -> Verdict:
    is_same = mine == theirs or (
        len(mine) == len(theirs)
        and 0 not in (*mine, *theirs)
        and all(one * theirs[0] == other * mine[0] for one, other in zip(mine, theirs, strict=True))
    )
    return Verdict.EQUAL if is_same else Verdict.UNEQUAL


def _terms(ratio: str) -> list[Fraction]:
    return [Fraction(term) for term in ratio.replace(" ", "").split(":")]
