"""Numbers and signs written as words: three, twenty-five, negative 3."""

from __future__ import annotations

import re

_SMALL_NAMES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
"""
_TENS_NAMES = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = _SMALL_NAMES.split()
_TENS = _TENS_NAMES.split()
_VALUES = {name: value for value, name in enumerate(_SMALL)} | {
    name: 10 * tens for tens, name in enumerate(_TENS, start=2)
}
_NUMBER = re.compile(
    rf"(?<![\\A-Za-z])(?:(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<ones>{'|'.join(_SMALL[1:10])}))?"
    rf"|(?P<small>{'|'.join(reversed(_SMALL))}))(?![A-Za-z'])",
    re.I,
)
_SIGN = re.compile(
    r"(?<![A-Za-z])negative (?=\\?[$£€¥₹]? ?[\d.\\(A-Za-z])|(?:^|(?<=is )|(?<=[:=] ))minus (?=\S)", re.I
)


def signed(text: str) -> str:
    """Return `text` with "negative 3" as -3."""
    return _SIGN.sub("-", text)


def in_digits(text: str) -> str:
    """Return `text` with the numbers from zero to ninety-nine in digits."""
    return _NUMBER.sub(lambda match: str(_value(match)), text)


def _value(match: re.Match[str]) -> int:
    names = (name for name in match.group("tens", "ones", "small") if name)
    return sum(_VALUES[name.lower()] for name in names)
