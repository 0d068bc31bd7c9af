"""What a replay leaves out of its files: every time, and the token counts that were not recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from tts_eval.records import Seconds

# The fields of records that count the tokens of a kind.
COUNTED_IN = {
    "prompt": {"num_prompt_tokens"},
    "cached": {"num_cached_tokens"},
    "generated": {"num_generated_tokens", "num_tokens"},
    "thinking": {"num_thinking_tokens"},
    "verifier": {"num_verifier_tokens"},
    "draft": {"num_draft_tokens"},
}
NEVER_KNOWN = {"num_unread_steps"}  # counted by problem, not by sample


def untimed(record: Any, *, unknown_tokens: Collection[str]) -> Any:
    """Return the fields of a record, and of those within it, with None for seconds and for unknown counts.

    `unknown_tokens` are kinds of tokens, the keys of `COUNTED_IN`.
    """
    return _without(record, NEVER_KNOWN.union(*(COUNTED_IN[kind] for kind in unknown_tokens)))


def _without(value: Any, unknown: Collection[str]) -> Any:
    if is_dataclass(value):
        kind: Any = type(value)
        nulls = _seconds_of(kind).union(unknown)
        return {
            field.name: None if field.name in nulls else _without(getattr(value, field.name), unknown)
            for field in fields(value)
        }
    if isinstance(value, Mapping):
        return {key: _without(inner, unknown) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_without(inner, unknown) for inner in value]
    return value


def refilled(kind: Any, line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `kind` with 0 for the null of one that every measured run has.

    Nobody sees the 0: the summary of a replay leaves out what is made of it.
    """
    optional = _optional_of(kind)
    return {key: 0 if value is None and key not in optional else value for key, value in line.items()}


@cache
def _seconds_of(kind: Any) -> frozenset[str]:
    """Return the fields that are declared as `Seconds`, or as `Seconds | None`."""
    hints = get_type_hints(kind, include_extras=True)
    return frozenset(name for name, hint in hints.items() if hint is Seconds or Seconds in get_args(hint))


@cache
def _optional_of(kind: Any) -> frozenset[str]:
    """Return the fields that may be None."""
    return frozenset(name for name, hint in get_type_hints(kind).items() if NoneType in get_args(hint))
