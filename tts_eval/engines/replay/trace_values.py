"""What a cell of somebody's table means: text, numbers and verdicts as files of every format spell them."""

from __future__ import annotations

import math
import re
from typing import Any

TRUE, FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")
SampleOrder = tuple[int, float, tuple[Any, ...]]


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: null, NaN, or no text but blanks."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or str(value).strip() == ""


def text(column: str, value: Any) -> str | None:
    """Return text or a number as text, 5.0 as 5: JSON has one kind of number. None where there is nothing."""
    if is_empty(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float):
        raise ValueError(f"{column} must be text or a number, not {value!r:.60}")
    return str(value).strip()


def given(column: str, value: str | None) -> str:
    """Return `value`; ValueError where there is none."""
    if value is None:
        raise ValueError(f"{column} is empty")
    return value


def verdict(column: str, value: Any) -> bool | None:
    """Return what a verdict says, as a truth value, a number or a word; None where there is none."""
    if is_empty(value):
        return None
    word = str(value).strip().lower()
    if word not in (*TRUE, *FALSE):
        raise ValueError(f"{column} must be true or false, 1 or 0, not {value!r:.60}")
    return word in TRUE


def number(column: str, value: Any) -> float | None:
    """Return a finite number, also one that is spelled as text; None where there is none."""
    if is_empty(value):
        return None
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{column} must be a number, not {value!r:.60}")
    return found


def whole_number(column: str, value: Any, *, minimum: int) -> int | None:
    """Return a whole number from `minimum`, also one spelled as 30.0 or as text; None where there is none."""
    if is_empty(value):
        return None
    try:
        found = number(column, value)
    except ValueError:
        found = None
    if found is None or not found.is_integer() or found < minimum:
        raise ValueError(f"{column} must be a whole number from {minimum}, not {value!r:.60}")
    return int(found)


def order(column: str, value: Any) -> SampleOrder:
    """Return a key that sorts numbers by value and names by the numbers in them: rs2 before rs10."""
    name = given(column, text(column, value))
    try:
        return (0, float(name), ())
    except ValueError:
        parts = re.split(r"(\d+)", name)
        return (1, 0.0, tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts))
