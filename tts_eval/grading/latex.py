"""Reads a normal form into sympy: latex2sympy, but for the units and quotes that it drops."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from latex2sympy2_extended.latex2sympy2 import (
    ConversionConfig,
    NormalizationConfig,
    latex2sympy,
    normalize_latex,
)
from math_verify.grader import should_treat_as_complex
from math_verify.parser import get_last_eq
from sympy import Basic, I, Integer, MatrixBase, Rational, Symbol

Parsed: TypeAlias = Basic | MatrixBase
_NORMALIZATION = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
)
# The grammar takes milliseconds for what most gold answers are.
_RATIONAL = re.compile(r"(-?\d+)|(-?)\\frac\{(\d+)\}\{(0*[1-9]\d*)\}")
_PRIMES = re.compile(r"(?<=[A-Za-z])('+)|(?<=[A-Za-z])\^\{?((?:\\prime ?)+)\}?")
_DEGREES_OF_AN_ANGLE = re.compile(
    r"(\\(?:sin|cos|tan|cot|sec|csc)(?:\^\{?\d+\}?)?) ?(?:\((\d+(?:\.\d+)?)\^\\circ\)"
    r"|\{(\d+(?:\.\d+)?)\^\\circ\}|(\d+(?:\.\d+)?)\^\\circ)"
)
_IMAGINARY = {Symbol("i", real=real): I for real in (None, True, False)}


def uses_both_cases(text: str) -> bool:
    """Tell whether a letter comes as a capital and as a small one, so that the two are not the same."""
    letters = set(
        re.findall(r"(?<![\\A-Za-z])[A-Za-z]|(?<=[A-Za-z])(?<!\\)[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", text))
    )
    return any(letter.swapcase() in letters for letter in letters)


@lru_cache(maxsize=1024)
def parse(text: str, *, keeps_case: bool) -> Parsed:
    """Parse a normal form; raises an Exception where it is no mathematics that can be read whole.

    Of a chain of equations that cannot be read as one the last side is taken.
    """
    if plain := _RATIONAL.fullmatch(text):
        integer, sign, top, bottom = plain.groups()
        return Integer(integer) if integer else Rational(int(f"{sign}{top}"), int(bottom))
    prepared = _PRIMES.sub(
        lambda match: f"_{{{'p' * max(len(match[1] or ''), (match[2] or '').count('prime'))}}}", text
    )
    prepared = _DEGREES_OF_AN_ANGLE.sub(_in_radians, prepared)
    latex = normalize_latex(prepared, config=_NORMALIZATION)
    try:
        return _convert(latex, keeps_case)
    except Exception:
        last = get_last_eq(latex)
        if last == latex:
            raise
        return _convert(last, keeps_case)


def has_letter_i(parsed: Parsed) -> bool:
    """Tell whether the letter i is in it, which may be the imaginary unit."""
    return any(symbol in _IMAGINARY for symbol in parsed.free_symbols)


def with_imaginary_unit(parsed: Parsed) -> Parsed:
    """Return `parsed` with the letter i as the imaginary unit."""
    return parsed.subs(_IMAGINARY)


def _convert(latex: str, keeps_case: bool) -> Parsed:
    parsed: Parsed = latex2sympy(
        latex,
        is_real=not should_treat_as_complex(latex),
        convert_degrees=False,
        normalization_config=None,
        conversion_config=ConversionConfig(lowercase_symbols=not keeps_case),
    )
    return parsed


def _in_radians(match: re.Match[str]) -> str:
    degrees = match[2] or match[3] or match[4]
    return rf"{match[1]}(\frac{{{degrees}\pi}}{{180}})"
