"""Documents made of topics: the program names a figure by its topic, the file by its key alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """Figures that lie in their document as if they were its own; a topic that is None has null for each."""


def side_by_side(document: Any) -> Any:
    """Return the fields of `document` in order, those of a topic in its place; without topics, itself."""
    kind: Any = type(document)
    topics, found = topics_of(kind), dict[str, object]()
    if not topics:
        return document
    for name, value in msgspec.structs.asdict(document).items():
        if name not in topics:
            found[name] = value
        elif value is None:
            found |= dict.fromkeys(topics[name].__struct_fields__)
        else:
            found |= msgspec.structs.asdict(value)
    return found


def by_topic(figures: Mapping[str, object], kind: Any) -> dict[str, object]:
    """Return the figures of a document, those of its topics together.

    A topic that may be None is, where all of its figures are null.
    """
    found = dict(figures)
    for name, topic in topics_of(kind).items():
        own = {key: figures.get(key) for key in topic.__struct_fields__}
        is_known = any(value is not None for value in own.values())
        found[name] = own if is_known or _hints(kind)[name] is topic else None
    return found


@cache
def topics_of(kind: Any) -> Mapping[str, type[Topic]]:
    """Return the fields of `kind` that are topics, or None."""
    return {
        name: one
        for name, hint in _hints(kind).items()
        for one in (hint, *get_args(hint))
        if isinstance(one, type) and issubclass(one, Topic)
    }


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    is_record = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    return get_type_hints(kind) if is_record else {}
