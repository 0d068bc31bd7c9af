"""Compares answers that need no algebra: numbers, numerals in a base, choices, pairs against lists.

Knows nothing of sympy. Under the policy of docs/grading.md it is never wrong, only silent (None).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from tts_eval.grading.grade import Verdict
from tts_eval.grading.messages import Form, Kind, rational_key

DECIMAL_PLACES = 6
RELATIVE_TOLERANCE = Fraction(1, 100_000)  # or 1e-7 and 2e-7, alike to six places, would be one number
MAX_POWER_BITS = 20_000

_DECIMAL = r"(?:(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
_POWER = rf"{_DECIMAL}(?:\^(?:\{{[-+]?\d+\}}|\d(?!\d)))?"
_TIMES = r"[ ]?(?:\\times|\\cdot|\*)[ ]?"
_TERM = rf"{_POWER}(?:{_TIMES}{_POWER})?"
_NUMBER = re.compile(
    rf"""(?P<sign>[-+]?)(?:
      (?P<whole>\d+)[ ]?\\frac\{{(?P<part>\d+)\}}\{{(?P<parts>\d+)\}}
    | \\frac\{{(?P<inner_sign>-?)(?P<top>{_TERM})\}}\{{(?P<bottom>{_TERM})\}}
    | (?P<over>{_TERM})/(?P<under>{_POWER})
    | (?P<term>{_TERM})
    )""",
    re.X,
)
_UNIT = re.compile(
    r"(?<=[\d}])(?:\^\\circ"
    r"|[ ]?\\(?:text|mbox|textrm|mathrm|textnormal)\{[ ]?[A-Za-z. ]*\}(?:\^(?:\d|\{\d\}))?)$"
)
_NO_UNIT = re.compile(r"\b(?:and|or|hundred|thousand|million|billion|trillion|dozen|base)\b", re.I)
_VARIABLE = re.compile(r"([A-Za-z])=(?=[^=]+$)")
_NUMERAL = re.compile(
    r"([-+]?)0*(\d+|\d[0-9A-F]+(?=_\{(?:1[1-9]|[23]\d)\}))_(?:\{(?:\\text\{)?([a-z]+|\d+)\}?\}|(\d))"
)
_BASE_NAMES = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_BASES = {name: str(base) for base, name in enumerate(_BASE_NAMES, start=2)} | {"sixteen": "16"}
_TEXT = r"\\(?:text|textbf|textrm|textit|mathrm|mathbf|mbox)\{"
_CHOICE = re.compile(
    rf"\(?([A-J])\)?|{_TEXT}\(?([A-J])\)?[.:]?\}}|{_TEXT}\(([A-J])\)[^{{}}]*\}}.*|\({_TEXT}([A-J])\}}\)"
)
_PAIR_OF_VARIABLES = re.compile(r"^\([A-Za-z](?:,[A-Za-z])+\)=")
_BRACED = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Number:
    """A rational number; an approximate one was written with a decimal point."""

    value: Fraction
    is_decimal: bool
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Numeral:
    """Digits in a stated base: 231_5 is neither 231 nor another way to write 66."""

    digits: str
    base: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The letter of a multiple choice, with or without the value that stands behind it."""

    letter: str


Exact = Number | Numeral | Choice


def compare(gold: str, answer: str) -> Verdict | None:
    """Compare two normal forms, or return None where that takes algebra."""
    left, right = read(gold), read(answer)
    if isinstance(left, Number) and isinstance(right, Number):
        if left.variable and right.variable and left.variable != right.variable:
            return None
        return _verdict(_are_equal(left, right))
    if isinstance(left, Numeral | Number) and isinstance(right, Numeral | Number):
        return _verdict(left == right)
    if isinstance(left, Choice) and isinstance(right, Choice):
        return _verdict(left == right)
    if {_arrangement(gold), _arrangement(answer)} == {"ordered", "unordered"}:
        return Verdict.UNEQUAL
    return None


def describe(normal: str) -> Form | None:
    """Describe a normal form for grouping, or return None where that takes algebra."""
    form = read(normal)
    if form is None:
        return None
    if not isinstance(form, Number):
        return Form(Kind.WORD, key=repr(form))
    key = None if form.is_decimal else rational_key(form.value.numerator, form.value.denominator)
    return Form(Kind.SCALAR, _fingerprint(form.value), key)


def is_decimal(normal: str) -> bool:
    """Tell whether a normal form is a number with a decimal point, which may stand for one that it is not."""
    form = read(normal)
    return isinstance(form, Number) and form.is_decimal


@lru_cache(maxsize=65_536)
def read(normal: str) -> Exact | None:
    """Read a normal form as a number, a numeral or a choice; None where it is none of these."""
    variable = _VARIABLE.match(normal)
    text = normal[variable.end() :] if variable else normal
    if match := _NUMERAL.fullmatch(text):
        sign, digits, word_or_base, digit = match.groups()
        base = _BASES.get(word_or_base, word_or_base) if word_or_base else digit
        if base != "10":
            return Numeral(sign.replace("+", "") + digits, base)
        text = sign + digits
    if match := _CHOICE.fullmatch(normal):
        return Choice(next(letter for letter in match.groups() if letter))
    unit = _UNIT.search(text)
    if unit and not _NO_UNIT.search(unit[0]):
        text = text[: unit.start()]
    value = _value(text)
    return None if value is None else Number(value, "." in text, variable[1].lower() if variable else None)


def _value(text: str) -> Fraction | None:
    match = _NUMBER.fullmatch(text)
    if not match:
        return None
    if match["whole"]:
        if not int(match["part"]) < int(match["parts"]):
            return None  # 3\frac{5}{2} is a product to some and a mixed number to others
        value: Fraction | None = int(match["whole"]) + Fraction(int(match["part"]), int(match["parts"]))
    elif match["term"]:
        value = _term(match["term"])
    else:
        top, bottom = _term(match["top"] or match["over"]), _term(match["bottom"] or match["under"])
        value = top / bottom if top is not None and bottom else None
    if value is None:
        return None
    return -value if (match["sign"] == "-") != (match["inner_sign"] == "-") else value


def _term(text: str) -> Fraction | None:
    value = Fraction(1)
    for factor in re.split(_TIMES, text):
        base_text, _, exponent_text = factor.replace(",", "").partition("^")
        base, exponent = Fraction(base_text), int(exponent_text.strip("{}") or 1)
        num_bits = max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent)
        if num_bits > MAX_POWER_BITS or (not base and exponent <= 0):
            return None
        value *= base**exponent
    return value


def _are_equal(left: Number, right: Number) -> bool:
    if left.value == right.value:
        return True
    if not (left.is_decimal or right.is_decimal):
        return False
    difference = abs(left.value - right.value)
    return round(left.value, DECIMAL_PLACES) == round(right.value, DECIMAL_PLACES) and difference <= (
        RELATIVE_TOLERANCE * max(abs(left.value), abs(right.value))
    )


def _fingerprint(value: Fraction) -> tuple[float, ...] | None:
    try:
        return (1.0, float(value), 0.0, float(value) ** 2, 0.0)
    except OverflowError:
        return None


def _verdict(equal: bool) -> Verdict:
    return Verdict.EQUAL if equal else Verdict.UNEQUAL


def _arrangement(normal: str) -> str | None:
    """Tell a pair or tuple, (3,7), from a list or set, 3,7 or {3,7}; None for all else."""
    text = _PAIR_OF_VARIABLES.sub("", normal)
    if _BRACED.fullmatch(text):
        text = rf"\{text[:-1]}\}}"
    is_set = text.startswith(r"\{")
    if is_set:
        text = text.replace(r"\{", "[").replace(r"\}", "]")
    if "=" in text or read(normal):
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
