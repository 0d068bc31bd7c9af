"""What a field's type says of it beside the type: `Annotated` marks, those of optional fields too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints


@cache
def marks_of(kind: type) -> Mapping[str, frozenset[object]]:
    """Return the marks of each field of a record, in the order of the fields."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: frozenset(_marks(hint)) for name, hint in hints.items()}


def _marks(hint: Any) -> Iterator[object]:
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
        yield from _marks(hint.__origin__)
    elif get_origin(hint) in (Union, UnionType):
        for one in get_args(hint):
            yield from _marks(one)
