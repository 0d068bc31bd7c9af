"""Rational numbers in all their spellings, read exactly, and numerals in a stated base."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from tts_eval.grading.grade import Verdict

DECIMAL_PLACES = 6
RELATIVE_TOLERANCE = Fraction(1, 100_000)  # or 1e-7 and 2e-7, alike to six places, would be one number
MAX_POWER_BITS = 20_000

_DECIMAL = (
    r"(?:(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3}|\d+)(?:\.\d+)?|\.\d+)"  # 12,34,567 in India
)
_POWER = rf"{_DECIMAL}(?:\^(?:\{{[-+]?\d+\}}|\d(?!\d)))?"
_TIMES = r"[ ]?(?:\\times|\\cdot|\*)[ ]?"
_TERM = rf"{_POWER}(?:{_TIMES}{_POWER})?"
_NUMBER = re.compile(
    rf"""(?P<sign>[-+]?)(?:
      (?P<whole>\d+)(?:[ ]?\\frac\{{(?P<part>\d+)\}}\{{(?P<parts>\d+)\}}|[ ](?P<some>\d+)/(?P<of>\d+))
    | \\frac\{{(?P<inner_sign>-?)(?P<top>{_TERM})\}}\{{(?P<bottom>{_TERM})\}}
    | (?P<over>{_TERM})/(?P<under>{_POWER})
    | (?P<once>\d*)\.(?P<fixed>\d*)\\(?:overline|bar)\{{(?P<repeated>\d{{1,50}})\}}
    | (?P<begun>\d*\.\d+)\\ldots
    | (?P<term>{_TERM})(?:[ ](?P<scale>hundred|thousand|million|billion|trillion|dozen|quarters))?
    )""",
    re.X,
)
_SCALES: dict[str, int | Fraction] = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "dozen": 12,
    "quarters": Fraction(1, 4),
}
_NUMERAL = re.compile(r"([-+]?)0*(\d+|\d[0-9A-F]+(?=_\{(?:1[1-9]|[23]\d)\}))_(?:\{([a-z]+|\d+)\}|(\d))")
_SIXTEEN = {"sixteen": "16", "hex": "16", "decimal": "10", "binary": "2", "octal": "8"}


@dataclass(frozen=True, slots=True)
class Number:
    """A rational number; an approximate one was written with a decimal point.

    `also` is what a less likely reading makes of it: 1 1/2 as a product, 5 million as 5 of them. Where
    neither is likelier, as in 3 5/2, `is_open`.
    """

    value: Fraction
    is_decimal: bool = False
    also: Fraction | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Numeral:
    """Digits in a stated base: 231_5 is neither 231 nor another way to write 66."""

    digits: str
    base: str


def read_numeral(text: str) -> Numeral | Number | None:
    """Read digits with a base, as a plain number where that is ten."""
    match = _NUMERAL.fullmatch(text) if "_" in text else None
    if match is None:
        return None
    sign, digits, word_or_base, digit = match.groups()
    base = _SIXTEEN.get(word_or_base, word_or_base) or digit
    return read_number(sign + digits) if base == "10" else Numeral(sign.replace("+", "") + digits, base)


def read_number(text: str) -> Number | None:
    """Read a rational number; None where the text is none, or one too large to be worked out."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    is_negative = (match["sign"] == "-") != (match["inner_sign"] == "-")
    also: Fraction | None = None
    is_open = False
    value: Fraction | None
    if match["whole"]:
        whole, part, parts = (int(match[name] or match[other]) for name, other in _MIXED)
        if not parts:
            return None
        value, also = whole + Fraction(part, parts), whole * Fraction(part, parts)
        is_open = part >= parts
    elif match["repeated"]:
        value = _repeating(match["once"], match["fixed"], match["repeated"])
    elif match["begun"]:
        value = _begun(match["begun"])
    elif match["term"]:
        value = _term(match["term"])
        if match["scale"] and value is not None:
            value, also = value * _SCALES[match["scale"]], value
    else:
        top, bottom = _term(match["top"] or match["over"]), _term(match["bottom"] or match["under"])
        value = top / bottom if top is not None and bottom else None
    if value is None:
        return None
    sign = -1 if is_negative else 1
    is_decimal = "." in text and not (match["repeated"] or match["begun"])
    return Number(sign * value, is_decimal, None if also is None else sign * also, is_open)


_MIXED = (("whole", "whole"), ("part", "some"), ("parts", "of"))


def are_equal(left: Number, right: Number) -> Verdict:
    """Compare two numbers; a decimal is equal to what it is rounded from, to six places."""
    if _are_close(left, right):
        return Verdict.UNDECIDED if left.is_open or right.is_open else Verdict.EQUAL
    is_other_reading = right.value == left.also or left.value == right.also
    return Verdict.UNDECIDED if is_other_reading else Verdict.UNEQUAL


def _are_close(left: Number, right: Number) -> bool:
    if left.value == right.value:
        return True
    if not (left.is_decimal or right.is_decimal):
        return False
    difference = abs(left.value - right.value)
    return round(left.value, DECIMAL_PLACES) == round(right.value, DECIMAL_PLACES) and difference <= (
        RELATIVE_TOLERANCE * max(abs(left.value), abs(right.value))
    )


def _repeating(once: str, fixed: str, repeated: str) -> Fraction:
    scale = 10 ** len(fixed)
    return Fraction(int((once + fixed) or 0), scale) + Fraction(
        int(repeated), scale * (10 ** len(repeated) - 1)
    )


def _begun(text: str) -> Fraction | None:
    """Return what 0.666... and 0.1818... repeat for ever; None where no repetition is seen."""
    once, _, digits = text.partition(".")
    repeated = re.search(r"(\d)\1\1+$|(\d{2,}?)\2+$", digits)
    return _repeating(once, digits[: repeated.start()], repeated[1] or repeated[2]) if repeated else None


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
