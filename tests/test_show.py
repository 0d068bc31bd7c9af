"""A search's tree survives the run's files and can be looked at."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from strategies.mcts import Mcts
from tests.running.cells import Sums, sums_cell
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import ScriptedVerifier, solve
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.rundir.directory import RunDirectory
from tts_eval.running.loop import run_cell
from tts_eval.show import main

END = " </think> \\boxed{{{}}}"
SCRIPT = {"": [" a\n\n", " b\n\n"], " a\n\n": [END.format(1)], " b\n\n": [END.format(42)]}


@dataclass(frozen=True)
class Given(Strategy):
    """Makes the attempt that it was given."""

    attempt: Attempt

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        return self.attempt


@pytest.fixture
async def searched(tmp_path: Path) -> tuple[Path, Attempt]:
    """A run of one problem that was solved by a tree search."""
    verifier = ScriptedVerifier({"42": 0.9, "1": 0.3, "a": 0.8, "b": 0.7})
    search = Mcts(width=2, in_flight=1, max_simulations=4, exploration=1.0, rollout=False)
    attempt, _, _ = await solve(search, SCRIPT, verifier=verifier)
    checked, engine = sums_cell(tmp_path / "run", strategy=Given(attempt), num_problems=1)
    await run_cell(checked, engine, Grader(GradingPool()))
    return tmp_path / "run", attempt


async def test_the_tree_is_read_back_as_it_was(searched: tuple[Path, Attempt]) -> None:
    path, attempt = searched
    [outcome] = RunDirectory(path).outcomes()
    assert outcome.attempt == attempt
    assert len(attempt.tree) == 5


async def test_a_tree_is_shown_with_what_the_search_thought_of_each_step(
    searched: tuple[Path, Attempt], capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = searched
    [problem] = Sums(1).problems()
    assert main([str(path), problem.id]) == 0
    heading, *lines, answer = capsys.readouterr().out.splitlines()
    assert heading == "sum-0, gold 0"
    assert [line.strip("│├└─ ") for line in lines] == [
        "score 0.800, 2 visits, value 0.550  a",
        "score 0.300, 1 visits, value 0.300  </think> \\boxed{1}  → 1",
        "score 0.700, 2 visits, value 0.800  b",
        "score 0.900, 1 visits, value 0.900  </think> \\boxed{42}  → 42",
    ]
    assert answer == "answer 42: unequal"


async def test_what_cannot_be_shown_is_said_in_one_line(
    searched: tuple[Path, Attempt], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = searched
    assert main([str(path), "sum-9"]) == 1
    assert capsys.readouterr().err == (
        "tts_eval.show: the run holds no problem 'sum-9'; there are 1, such as sum-0\n"
    )
    assert main([str(tmp_path), "sum-0"]) == 1
    assert "is not the folder of a run" in capsys.readouterr().err

    checked, engine = sums_cell(tmp_path / "plain", num_problems=1)
    await run_cell(checked, engine, Grader(GradingPool()))
    assert main([str(tmp_path / "plain"), "sum-0"]) == 1
    assert "problem 'sum-0' has no tree" in capsys.readouterr().err


async def test_undecided_answers_are_listed_with_what_they_were_compared_with_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checked, engine = sums_cell(tmp_path / "run", strategy=Given(Attempt("0 or more", ())), num_problems=2)
    await run_cell(checked, engine, Grader(GradingPool()))
    assert main([str(tmp_path / "run"), "--undecided"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "1 undecided" in shown
    assert all(part in shown for part in ("sum-0", "0 or more", "two ways"))
    assert "sum-1" not in shown  # 2 against "0 or more" is unequal
    with pytest.raises(SystemExit):
        main([str(tmp_path / "run"), "sum-0", "--undecided"])
