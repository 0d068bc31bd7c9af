"""The plugin kit finds what would silently do nothing: a misspelt hook, one with other arguments."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import new_class
from typing import Any

import pytest

from tests.conftest import ROOT
from tts_eval.protocols import LanguageModel, Setup, Strategy, Task, Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.toolkit.plugin_kit import check_extension


def extensions() -> Iterator[type]:
    """Yield every strategy, verifier and task of the shelves."""
    for shelf in ("strategies", "verifiers", "tasks"):
        for file in sorted((ROOT / shelf).glob("[a-z]*.py")):
            module = importlib.import_module(f"{shelf}.{file.stem}")
            for _, kind in inspect.getmembers(module, inspect.isclass):
                if kind.__module__ == module.__name__ and issubclass(kind, Strategy | Verifier | Task):
                    yield kind


@pytest.mark.parametrize("kind", list(extensions()), ids=lambda kind: kind.__name__)
def test_the_shelves_extend_their_bases_as_they_should(kind: type) -> None:
    check_extension(kind)


@dataclass(frozen=True)
class Mine(Strategy):
    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        return Attempt(None, ())


def extended(base: type, **members: Any) -> type:
    """Return a frozen dataclass that extends `base` with `members`."""
    return dataclass(frozen=True)(new_class("Extended", (base,), {}, lambda body: body.update(members)))


def check(self: Any, setup: Setup) -> None: ...


def checks_model(self: Any, model: object, *, room_tokens: int) -> None: ...


def max_spend(self: Any, room_tokens: int) -> None: ...


def keyword_spend(self: Any, *, room_tokens: int) -> None: ...


def not_awaited(self: Any, problem: Problem, llm: LanguageModel, verifier: object) -> None: ...


def test_a_strategy_that_is_spelt_right_passes() -> None:
    check_extension(extended(Mine, check=check, max_spend=max_spend, _helper=check))


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"chek": check}, r"Extended\.chek is no hook of Strategy .*: did you mean check\?"),
        ({"check_model": checks_model}, "check_model is no hook of Strategy"),
        ({"max_spent": max_spend}, r"did you mean max_spend\?"),
        ({"helper": check}, "begin a helper's name with an underscore"),
        ({"check": checks_model}, r"check must be called as check\(self, setup"),
        ({"max_spend": keyword_spend}, r"max_spend must be called as max_spend\(self, room_tokens"),
        ({"solve": not_awaited}, r"solve must be called as async solve\("),
    ],
)
def test_a_misspelt_hook_of_a_strategy_fails(members: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        check_extension(extended(Mine, **members))


async def graded(self: Any, problem: Problem) -> None: ...


async def scores(self: Any, problem: Problem, trace: object, llm: object) -> None: ...


def problems(self: Any) -> None: ...


@pytest.mark.parametrize(
    ("base", "members", "says"),
    [
        (Strategy, {}, "must override solve"),
        (Verifier, {"score_traces": scores}, r"did you mean score_trace\?"),
        (Verifier, {"score": scores}, "must override score_steps or score_trace"),
        (Task, {"problems": problems, "grade": graded}, r"must be called as async grade\(self, problem"),
        (Task, {"problem": problems}, r"did you mean problems\?"),
        (object, {}, "extends none of Strategy, Verifier, Task"),
    ],
)
def test_so_does_one_of_a_verifier_or_a_task(base: type, members: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        check_extension(extended(base, **members))


def test_a_class_whose_fields_are_no_settings_fails() -> None:
    class Plain(Strategy):
        async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
            return Attempt(None, ())

    with pytest.raises(TypeError, match=r"Plain must be a dataclass\(frozen=True\)"):
        check_extension(Plain)
