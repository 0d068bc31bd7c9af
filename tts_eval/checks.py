"""Checks of the values a user may set; each raises ValueError with what was given and what is allowed.

Knows no setting by name.
"""

from __future__ import annotations

from typing import Any


def whole_number(name: str, value: Any, *, minimum: int, maximum: int | None = None) -> None:
    """Refuse `value` unless it is an integer from `minimum` to `maximum`."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value < minimum or (maximum is not None and value > maximum):
        upto = "" if maximum is None else f" to {maximum}"
        raise ValueError(f"{name} must be a whole number from {minimum}{upto}, not {value!r}")


def number(name: str, value: Any, *, minimum: float, maximum: float | None = None) -> None:
    """Refuse `value` unless it is a real number from `minimum` to `maximum`."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_real or not value >= minimum or (maximum is not None and value > maximum):
        upto = " or more" if maximum is None else f" to {maximum:g}"
        raise ValueError(f"{name} must be a number from {minimum:g}{upto}, not {value!r}")


def divides(name: str, value: Any, whole_name: str, whole: int) -> None:
    """Refuse `value` unless it is a whole number that divides `whole`."""
    whole_number(name, value, minimum=1)
    if whole % value:
        allowed = ", ".join(str(n) for n in range(1, whole + 1) if whole % n == 0)
        raise ValueError(f"{name}={value} does not divide {whole_name}={whole}; allowed: {allowed}")


def one_of(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Refuse `value` unless it is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, not {value!r}")


def optional_whole_number(name: str, value: Any, *, minimum: int) -> None:
    """Refuse `value` unless it is None or an integer from `minimum`."""
    if value is not None:
        whole_number(name, value, minimum=minimum)


def sampling(temperature: Any, top_p: Any) -> None:
    """Refuse a strategy's sampling settings; None stands for the model's recommended ones."""
    if temperature is not None:
        number("strategy.temperature", temperature, minimum=0.0)
    if top_p is not None:
        number("strategy.top_p", top_p, minimum=1e-6, maximum=1.0)


def fits(name: str, num_tokens: int | None, room_tokens: int) -> None:
    """Refuse `num_tokens` where the model's length leaves only `room_tokens` after the longest prompt."""
    if num_tokens is not None and num_tokens > room_tokens:
        raise ValueError(
            f"{name} is {num_tokens} tokens; the model's length leaves {room_tokens} after the longest prompt"
        )


def given(name: str, value: Any, *, needed_by: str) -> None:
    """Refuse a part of the run that is not there."""
    if value is None:
        raise ValueError(f"strategy={needed_by} needs a {name}: choose one with {name}=...")
