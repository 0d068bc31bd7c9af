"""Checks for the tests of your own strategy, verifier or task: a misspelt hook would silently do nothing."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from difflib import get_close_matches
from typing import Any

from tts_eval.protocols import Strategy, Task, Verifier

# Of each base, the hooks of which at least one has to be overridden.
REQUIRED: dict[type, tuple[str, ...]] = {
    Strategy: ("solve",),
    Verifier: ("score_steps", "score_trace", "recall"),
    Task: ("problems",),
}


def check_extension(kind: type[Strategy] | type[Verifier] | type[Task]) -> None:
    """Raise TypeError where `kind` does not extend its base as the base's docstring says.

    It must be a frozen dataclass that overrides what has to be overridden; each public method must be a hook
    of its base, and be called as that is called.
    """
    found = list(_mistakes(kind))
    if found:
        raise TypeError("; ".join(found))


def _mistakes(kind: type) -> Iterator[str]:
    base = next((base for base in REQUIRED if issubclass(kind, base)), None)
    if base is None:
        yield f"{kind.__name__} extends none of {', '.join(base.__name__ for base in REQUIRED)}"
        return
    if not is_dataclass(kind) or not getattr(kind, "__dataclass_params__").frozen:  # noqa: B009
        yield f"{kind.__name__} must be a dataclass(frozen=True): its fields are its YAML"
    if all(getattr(kind, hook) is getattr(base, hook) for hook in REQUIRED[base]):
        yield f"{kind.__name__} must override {' or '.join(REQUIRED[base])}"
    for owner in kind.__mro__:
        if not owner.__module__.startswith("tts_eval."):
            yield from _misspelt(owner, base)


def _misspelt(owner: type, base: type) -> Iterator[str]:
    """Yield what is wrong with the public methods that `owner` itself defines."""
    hooks = [name for name, member in vars(base).items() if inspect.isfunction(member) and name[0] != "_"]
    for name, member in vars(owner).items():
        if name.startswith("_") or not inspect.isfunction(member):
            continue
        overridden = next((vars(each)[name] for each in owner.__mro__[1:] if name in vars(each)), None)
        if overridden is None:
            meant = get_close_matches(name, hooks, n=1)
            hint = f"did you mean {meant[0]}?" if meant else "begin a helper's name with an underscore"
            yield f"{owner.__name__}.{name} is no hook of {base.__name__} ({', '.join(hooks)}): {hint}"
        elif inspect.isfunction(overridden) and not _is_called_alike(member, overridden):
            how = "async " if inspect.iscoroutinefunction(overridden) else ""
            yield f"{owner.__name__}.{name} must be called as {how}{name}{inspect.signature(overridden)}"


def _is_called_alike(member: Any, overridden: Any) -> bool:
    """Whether `member` takes the arguments that `overridden` takes, and is awaited if that is."""
    parameters = inspect.signature(overridden).parameters.values()
    positional = [None for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    named = {each.name: None for each in parameters if each.kind is each.KEYWORD_ONLY}
    try:
        inspect.signature(member).bind(*positional, **named)
    except TypeError:
        return False
    return inspect.iscoroutinefunction(member) == inspect.iscoroutinefunction(overridden)
