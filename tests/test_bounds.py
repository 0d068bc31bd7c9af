"""Bounds are declared with the fields they bound, and hold for every object that is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.protocols.bounds import divisor, number, one_of, temperature, template, whole
from tts_eval.records import Attempt, Problem


@dataclass(frozen=True, kw_only=True)
class Declared(Strategy):
    n: int = whole(8, minimum=1)
    width: int = divisor(4, of="n")
    first: int = whole(2, minimum=0, maximum="n")
    share: float | None = number(0.5, minimum=0.0, maximum=1.0, or_null=True)
    bound: int | None = whole(None, minimum=1)
    heat: float = temperature(0.0)
    way: str = one_of("fast", ("fast", "slow"))
    prompt: str = template("Solve {question}", holding=("{question}",))
    is_loud: bool = False

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        return Attempt(None, ())


@dataclass(frozen=True, kw_only=True)
class Extended(Declared):
    n: int = 16
    heat: float = 0.5
    share: float | None = number(2.0, minimum=2.0)


def test_what_is_declared_is_the_default() -> None:
    assert (Declared().n, Declared().share, Declared().prompt) == (8, 0.5, "Solve {question}")
    assert Declared(share=None, bound=3, first=8, is_loud=True) != Declared()


@pytest.mark.parametrize(
    ("kind", "wrong", "says"),
    [
        (Declared, {"n": 0}, r"strategy\.n must be a whole number from 1, not 0"),
        (Declared, {"n": None}, r"strategy\.n must be a whole number from 1, not None"),
        (Declared, {"width": 3}, r"strategy\.width=3 does not divide strategy\.n=8; allowed: 1, 2, 4, 8"),
        (Declared, {"first": 9}, r"strategy\.first must be a whole number from 0 to 8, not 9"),
        (Declared, {"share": 1.5}, r"strategy\.share must be a number from 0 to 1, not 1\.5"),
        (Declared, {"bound": 0}, r"strategy\.bound must be a whole number from 1, not 0"),
        (Declared, {"heat": 3}, r"strategy\.heat must be 0 \(greedy\) or a number from 0\.01 to 2, not 3"),
        (Declared, {"way": "best"}, r"strategy\.way must be one of fast, slow, not 'best'"),
        (Declared, {"prompt": "Solve"}, r"strategy\.prompt must contain \{question\}; it is 'Solve'"),
        (Declared, {"is_loud": "yes"}, r"strategy\.is_loud must be one of True, False, not 'yes'"),
        (Declared, {"is_loud": 1}, r"strategy\.is_loud must be one of True, False, not 1"),
        (Extended, {"n": -1}, r"strategy\.n must be a whole number from 1, not -1"),
        (Extended, {"heat": 3}, r"strategy\.heat must be 0 \(greedy\)"),
        (Extended, {"share": 0.5}, r"strategy\.share must be a number from 2 or more, not 0\.5"),
    ],
)
def test_what_is_out_of_bounds_is_one_line(kind: type[Declared], wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        kind(**wrong)
