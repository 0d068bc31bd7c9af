"""The public API: names that load when they are used, and a strategy run on questions from Python."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tts_eval
from strategies.majority_vote import MajorityVote
from tests.conftest import ROOT
from tts_eval.records import Problem

PARROT: dict[str, Any] = {
    "hydra.searchpath": f"[file://{ROOT}/tests/command/conf]",
    "engine": "parrot",
    "model.path": str(ROOT / "pocket" / "reasoner"),
}
LAZY = """
import sys
import tts_eval
heavy = {"torch", "vllm", "hydra", "omegaconf", "pandas", "numpy", "sympy"} & set(sys.modules)
assert not heavy, heavy
assert set(tts_eval.__all__) <= set(dir(tts_eval))
assert tts_eval.Strategy.__module__ == "tts_eval.protocols.strategy"
assert "hydra" not in sys.modules and "torch" not in sys.modules
"""


def test_importing_the_package_loads_nothing_heavy() -> None:
    subprocess.run([sys.executable, "-c", LAZY], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", tts_eval.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(tts_eval, name)


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sovle'"):
        tts_eval.sovle  # noqa: B018


def test_one_question_gives_one_attempt() -> None:
    attempt = tts_eval.solve("multiply 3 4 mod 47", strategy="majority_vote", **PARROT | {"strategy.n": 2})

    assert isinstance(attempt, tts_eval.Attempt)
    assert [candidate.text for candidate in attempt.candidates] == ["</think>", "</think>"]


async def test_within_a_running_loop_several_give_as_many_in_their_order() -> None:
    questions: list[str | Problem] = [Problem("b", "multiply 3 4 mod 47", "12"), "multiply 5 6 mod 47"]
    vote = MajorityVote(n=3, temperature=0.7)
    awaited = await tts_eval.asolve(questions, strategy=vote, **PARROT)
    waited = tts_eval.solve(questions, strategy=vote, **PARROT)

    assert [len(attempt.candidates) for attempt in awaited] == [3, 3]
    assert waited == awaited


def test_a_mistake_is_a_value_error_and_a_failure_names_itself() -> None:
    with pytest.raises(ValueError, match=r"strategy\.n must be a whole number from 1, not 0"):
        tts_eval.solve("1", strategy="majority_vote", **PARROT | {"strategy.n": 0})
    with pytest.raises(ValueError, match="best_of_n needs a verifier"):
        tts_eval.solve("multiply 3 4 mod 47", strategy="best_of_n", **PARROT)
    with pytest.raises(RuntimeError, match="question-0 failed: "):
        tts_eval.solve("multiply 3 4 mod 47", strategy="failing", **PARROT)


def test_the_strategy_of_the_readme_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = (ROOT / "README.md").read_text().split("## A strategy of your own")[1].split("\n## ")[0]
    [listing, *further] = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    (tmp_path / "second_thought.py").write_text(listing)
    monkeypatch.syspath_prepend(str(tmp_path))
    import second_thought  # type: ignore[import-not-found]

    attempt = tts_eval.solve("multiply 3 4 mod 47", strategy=second_thought.SecondThought(), **PARROT)
    assert attempt.chosen.text.endswith("</think>")
    assert len(further) == 1
    compile(further[0], "README.md", "exec")
