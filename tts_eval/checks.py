"""Checks of the values a user may set; each raises ValueError with what was given and what is allowed."""

from __future__ import annotations

import math
from typing import Any

MAX_WHOLE = 2**63 - 1  # what JSON readers, NumPy and vLLM take
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.01, 2.0


def whole_number(name: str, value: Any, *, minimum: int, maximum: int | None = None) -> None:
    """Reject `value` unless it is an integer from `minimum` to `maximum`."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not minimum <= value <= (MAX_WHOLE if maximum is None else maximum):
        is_huge = is_whole and value > MAX_WHOLE
        upto = f" to {maximum}" if maximum is not None else " to 2^63 - 1" if is_huge else ""
        raise ValueError(f"{name} must be a whole number from {minimum}{upto}, not {value!r}")


def number(name: str, value: Any, *, minimum: float, maximum: float | None = None) -> None:
    """Reject `value` unless it is a real number from `minimum` to `maximum`."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_real or not minimum <= value < math.inf or (maximum is not None and value > maximum):
        upto = " or more" if maximum is None else f" to {maximum:g}"
        raise ValueError(f"{name} must be a number from {minimum:g}{upto}, not {value!r}")


def divides(name: str, value: Any, whole_name: str, whole: int) -> None:
    """Reject `value` unless it is a whole number that divides `whole`."""
    whole_number(name, value, minimum=1)
    if whole % value:
        allowed = ", ".join(str(n) for n in range(1, whole + 1) if whole % n == 0)
        raise ValueError(f"{name}={value} does not divide {whole_name}={whole}; allowed: {allowed}")


def one_of(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Reject `value` unless it is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, not {value!r}")


def optional_whole_number(name: str, value: Any, *, minimum: int) -> None:
    """Reject `value` unless it is None or an integer from `minimum`."""
    if value is not None:
        whole_number(name, value, minimum=minimum)


def sampling_temperature(name: str, value: Any) -> None:
    """Reject a temperature at which vLLM would sample at another one, or not at all (its SamplingParams)."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_real or not (value == 0 or MIN_TEMPERATURE <= value <= MAX_TEMPERATURE):
        allowed = f"0 (greedy) or a number from {MIN_TEMPERATURE} to {MAX_TEMPERATURE:g}"
        raise ValueError(f"{name} must be {allowed}, not {value!r}")


def sampling(temperature: Any, top_p: Any) -> None:
    """Reject a strategy's sampling settings; None stands for the model's recommended ones."""
    if temperature is not None:
        sampling_temperature("strategy.temperature", temperature)
    if top_p is not None:
        number("strategy.top_p", top_p, minimum=1e-6, maximum=1.0)


def fits(name: str, num_tokens: int | None, room_tokens: int) -> None:
    """Reject `num_tokens` where the model's length leaves only `room_tokens` after the longest prompt."""
    if num_tokens is not None and num_tokens > room_tokens:
        raise ValueError(
            f"{name} is {num_tokens} tokens; the model's length leaves {room_tokens} after the longest prompt"
        )


def given(name: str, value: Any, *, needed_by: str) -> None:
    """Reject a part of the run that is not there."""
    if value is None:
        raise ValueError(f"strategy={needed_by} needs a {name}: choose one with {name}=...")
