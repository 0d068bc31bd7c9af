"""Settings with their bounds: what a field of a strategy, a verifier or a task may hold, said where it is.

    n: int = whole(16, minimum=1)
    keep: float = number(0.1, minimum=0.0, maximum=1.0)
    judge: str = one_of("prm", ("prm", "model"))

Each is a dataclass field with that default. The base's `__post_init__` checks them all when an object is
built; null is allowed where it is the default, or where `or_null` is given. A subclass that gives a field
another default keeps its bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields
from typing import Any, TypeVar

from tts_eval import checks

Setting = TypeVar("Setting")
Rule = Callable[[str, Any, Any], None]  # raises ValueError, given name, value, and the object they belong to
_RULE = "rule"


def whole(
    default: Setting, *, minimum: int, maximum: int | str | None = None, or_null: bool = False
) -> Setting:
    """Declare a whole number from `minimum` to `maximum`, which may be the name of another setting."""

    def rule(name: str, value: Any, owner: Any) -> None:
        highest = getattr(owner, maximum) if isinstance(maximum, str) else maximum
        checks.whole_number(name, value, minimum=minimum, maximum=highest)

    return _declared(default, rule, or_null)


def number(
    default: Setting, *, minimum: float, maximum: float | None = None, or_null: bool = False
) -> Setting:
    """Declare a real number from `minimum` to `maximum`."""
    return _declared(
        default,
        lambda name, value, _: checks.number(name, value, minimum=minimum, maximum=maximum),
        or_null,
    )


def temperature(default: Setting) -> Setting:
    """Declare a temperature at which the engines sample."""
    return _declared(default, lambda name, value, _: checks.sampling_temperature(name, value))


def one_of(default: Setting, allowed: tuple[Setting, ...]) -> Setting:
    """Declare a choice."""
    return _declared(default, lambda name, value, _: checks.one_of(name, value, allowed))


def divisor(default: Setting, *, of: str) -> Setting:
    """Declare a whole number that divides the setting `of`."""

    def rule(name: str, value: Any, owner: Any) -> None:
        group, _, _ = name.partition(".")
        checks.divides(name, value, f"{group}.{of}", getattr(owner, of))

    return _declared(default, rule)


def template(default: Setting, *, holding: tuple[str, ...]) -> Setting:
    """Declare a text in which each of `holding` is replaced."""

    def rule(name: str, value: Any, owner: Any) -> None:
        for part in holding:
            if part not in str(value):
                raise ValueError(f"{name} must contain {part}; it is {value!r}")

    return _declared(default, rule)


def check_bounds(group: str, owner: Any) -> None:
    """Raise ValueError for the first field of `owner`, configured as `group`, that is out of its bounds.

    A field whose default is true or false may be nothing else.
    """
    for each in fields(owner):
        name, value = f"{group}.{each.name}", getattr(owner, each.name)
        if isinstance(each.default, bool) and not isinstance(value, bool):
            raise ValueError(f"{name} must be one of True, False, not {value!r}")
        if (rule := _rule_of(each.name, type(owner))) is not None:
            rule(name, value, owner)


def _declared(default: Setting, rule: Rule, or_null: bool = False) -> Setting:
    def unless_null(name: str, value: Any, owner: Any) -> None:
        if value is not None or not (or_null or default is None):
            rule(name, value, owner)

    return field(default=default, metadata={_RULE: unless_null})


def _rule_of(name: str, kind: type) -> Rule | None:
    """Return the rule for the field `name` that `kind`, or else the nearest class it extends, declares."""
    declared = (getattr(owner, "__dataclass_fields__", {}).get(name) for owner in kind.__mro__)
    rules = (each.metadata.get(_RULE) for each in declared if each is not None)
    return next((rule for rule in rules if rule is not None), None)
