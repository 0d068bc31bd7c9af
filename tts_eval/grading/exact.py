"""Compares answers that need no algebra: numbers with their units, numerals in a base, choices, words, lists.

Under the policy of docs/grading.md it is never wrong, only undecided, or silent (None).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from tts_eval.grading import chemistry, dates, ratios, shapes, words
from tts_eval.grading.choices import LETTERS
from tts_eval.grading.grade import Verdict
from tts_eval.grading.messages import Form, Kind, rational_key
from tts_eval.grading.rationals import Number, Numeral, are_equal, read_number, read_numeral
from tts_eval.grading.units import Unit, compare_units, factor_between, split_unit

_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")
_CHOICE = re.compile(rf"\(([{LETTERS}])\)(?: (.+))?|([{LETTERS}])", re.S)
_NAME = re.compile(r"(?P<name>[A-Za-z][A-Za-z' ]*)=(?=[^=]+$)")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3}")
_SPACED = re.compile(r"\d \d")
_PAIR_OF_VARIABLES = re.compile(r"^\([A-Za-z](?:,[A-Za-z])+\)=")
_BRACED = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Reading:
    """A normal form taken apart.

    Attributes:
        core: what algebra may read, without unit and without a name of several letters.
        unit: the unit at its end.
        name: what stands before its only "=" where that is a name, in small letters.
        letter: the choice that it states; `value` is what stands behind that.
        exact: the core as a number or numeral, if it is one.
        has_words: whether the core holds what algebra must not read.
        is_plain: whether it is digits and no more, of which there is one reading.
    """

    core: str
    unit: Unit | None = None
    name: str | None = None
    letter: str | None = None
    value: str = ""
    exact: Number | Numeral | None = None
    has_words: bool = False
    is_plain: bool = False


@lru_cache(maxsize=65_536)
def read(normal: str) -> Reading:
    """Take a normal form apart."""
    if _PLAIN.fullmatch(normal):
        return Reading(normal, exact=Number(Fraction(normal), "." in normal), is_plain=True)
    if choice := _CHOICE.fullmatch(normal):
        return Reading(normal, letter=choice[1] or choice[3], value=choice[2] or "")
    name = _NAME.match(normal)
    text = normal[name.end() :] if name else normal
    core, unit = _split_units(text)
    exact = read_numeral(core) or read_number(core)
    if exact is None:
        core = _joined(core)
    if name and len(name["name"]) == 1:
        core = f"{name[0]}{core}"
    return Reading(
        core,
        unit,
        name=name["name"].lower() if name else None,
        exact=exact,
        has_words=exact is None and words.is_unread(core),
    )


def compare(gold: str, answer: str) -> Verdict | None:
    """Compare two normal forms, or return None where that takes algebra."""
    left, right = read(gold), read(answer)
    if left.is_plain and right.is_plain:
        return _compare_cores(left, right)
    if left.letter and right.letter:
        return _verdict(left.letter == right.letter)
    if left.value or right.value:
        gold, answer = left.value or gold, right.value or answer
        return Verdict.EQUAL if gold == answer else compare(gold, answer)
    for compare_kind in (dates.compare, ratios.compare, chemistry.compare, shapes.compare):
        if verdict := compare_kind(gold, answer):
            return verdict
    has_words = left.has_words or right.has_words
    if gold.replace(" ", "") == answer.replace(" ", "") and words.elements(gold) != words.elements(answer):
        return Verdict.UNDECIDED if has_words or _SPACED.search(gold + answer) else Verdict.EQUAL  # 5 m, 5m
    if has_words:
        return words.compare(gold, answer)
    verdict = _compare_cores(left, right)
    if verdict is Verdict.UNEQUAL and not (left.unit and right.unit):
        return verdict
    units = compare_units(left.unit, right.unit)
    if units is Verdict.UNDECIDED:
        return _compare_converted(left, right)
    return units if units is Verdict.UNEQUAL else verdict


def describe(normal: str) -> Form | None:
    """Describe a normal form for grouping, or return None where that takes algebra."""
    reading = read(normal)
    if reading.letter:
        return Form(Kind.OPEN) if reading.value else Form(Kind.WORD, key=f"choice {reading.letter}")
    if dates.is_day(normal) or ratios.is_ratio(normal):
        return Form(Kind.OPEN)
    if reading.has_words:
        return Form(Kind.WORD, key=repr(words.elements(normal)))
    if isinstance(reading.exact, Numeral):
        return Form(Kind.WORD, key=repr(reading.exact))
    if _GROUPED.fullmatch(normal):
        return Form(Kind.OPEN)
    number = reading.exact
    if number is None:
        return None
    is_one_value = not number.is_decimal and number.also is None and reading.unit is None
    key = rational_key(number.value.numerator, number.value.denominator) if is_one_value else None
    return Form(Kind.SCALAR, _fingerprint(number.value), key)


def is_decimal(normal: str) -> bool:
    """Tell whether a normal form is a number with a decimal point, which may stand for one that it is not."""
    exact = read(normal).exact
    return isinstance(exact, Number) and exact.is_decimal


def _split_units(text: str) -> tuple[str, Unit | None]:
    """Split the unit off, or off every element of a list, where all that state one state the same."""
    core, unit = split_unit(text)
    parts = re.split(r",(?!\d{3}(?!\d)) ?|;| and | or ", text)
    if unit is None or len(parts) == 1 or _GROUPED.fullmatch(core) or re.search(r"[()\[\]]", text):
        return core, unit
    split = [split_unit(part) for part in parts]
    units = {each for _, each in split if each}
    return (", ".join(part for part, _ in split), unit) if units == {unit} else (text, None)


def _joined(core: str) -> str:
    """Return the core with "and" and "or" between formulas as commas, unless that leaves words."""
    joined = words.joined(core)
    return joined if joined != core and not words.is_unread(joined) else core


def _compare_cores(left: Reading, right: Reading) -> Verdict | None:
    mine, theirs = left.exact, right.exact
    if left.name and right.name and left.name != right.name:
        if len(left.name) == len(right.name) == 1:
            return None
        return Verdict.UNDECIDED if mine is None or mine == theirs else Verdict.UNEQUAL
    grouped = [bool(_GROUPED.fullmatch(reading.core)) for reading in (left, right)]
    if any(grouped) and (verdict := _compare_lists(left.core, right.core, all(grouped))):
        return verdict
    if isinstance(mine, Number) and isinstance(theirs, Number):
        return are_equal(mine, theirs)
    if mine and theirs:
        return _verdict(mine == theirs)
    if {_arrangement(left.core), _arrangement(right.core)} == {"ordered", "unordered"}:
        return Verdict.UNEQUAL
    return None


def _compare_lists(gold: str, answer: str, are_both_open: bool) -> Verdict | None:
    """Compare 98,118 as a list where the other is one; where both may be, both readings must agree."""
    lists = [[read_number(part.strip()) for part in text.split(",")] for text in (gold, answer)]
    if any(len(numbers) < 2 or None in numbers for numbers in lists):
        return None
    mine, theirs = (sorted(number.value for number in numbers if number) for numbers in lists)
    if are_both_open:
        return Verdict.UNDECIDED if mine == theirs and gold != answer else None
    return _verdict(mine == theirs)


def _compare_converted(left: Reading, right: Reading) -> Verdict:
    """Compare answers in units that may mean one: unequal where no conversion makes them so, never equal."""
    assert left.unit and right.unit
    mine, theirs = left.exact, right.exact
    if not (isinstance(mine, Number) and isinstance(theirs, Number)):
        return Verdict.UNDECIDED
    factor = factor_between(left.unit, right.unit) if left.unit.is_known and right.unit.is_known else 1
    return Verdict.UNDECIDED if mine.value == theirs.value * factor else Verdict.UNEQUAL


def _fingerprint(value: Fraction) -> tuple[float, ...] | None:
    try:
        return (1.0, float(value), 0.0, float(value) ** 2, 0.0)
    except OverflowError:
        return None


def _verdict(equal: bool) -> Verdict:
    return Verdict.EQUAL if equal else Verdict.UNEQUAL


def _arrangement(core: str) -> str | None:
    """Tell a pair or tuple, (3,7), from a list or set, 3,7 or {3,7}; None for all else."""
    text = _PAIR_OF_VARIABLES.sub("", core)
    if _BRACED.fullmatch(text):
        text = rf"\{text[:-1]}\}}"
    is_set = text.startswith(r"\{")
    if is_set:
        text = text.replace(r"\{", "[").replace(r"\}", "]")
    if "=" in text or read_number(text):
        return None
    depth, num_groups, commas_at = 0, 0, set()
    for character in text:
        if character in "([{":
            num_groups += depth == 0 and character != "{"
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character in ",;":
            commas_at.add(depth)
    if not num_groups:
        return "unordered" if 0 in commas_at else None
    if num_groups > 1 or 0 in commas_at or 1 not in commas_at:
        return None
    if text.startswith("(") and text.endswith(")"):
        return "ordered"
    return "unordered" if is_set and text.endswith("]") else None
