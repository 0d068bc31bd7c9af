"""A replay finds, groups and grades answers as the task of its run does, mathematics or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from strategies.majority_vote import MajorityVote
from tests.engines.replay.test_replay_engine import CONFIG_MODEL, grader, replayed, replaying
from tests.running.cells import Calculator, sums_cell
from tts_eval.engines.replay.replay_engine import ReplayRun
from tts_eval.grading.grade import Grade, Verdict
from tts_eval.llm.scripted import ScriptedEngine, WordCodec
from tts_eval.protocols import Task
from tts_eval.records import Problem
from tts_eval.requests import Completion, Request
from tts_eval.running.loop import run_cell

SAID = ("A: east", "A: West", "A: west", "A: east")


@dataclass(frozen=True)
class Winds(Task):
    """Words in either case, right by their metadata; to mathematics each is a product of letters."""

    num_problems: int = 1

    def problems(self) -> Sequence[Problem]:
        return [
            Problem(f"wind-{n}", "Whence?", None, metadata={"right": "west"})
            for n in range(self.num_problems)
        ]

    def extract(self, text: str) -> str | None:
        return text.partition("A: ")[2] or None

    async def grade(self, problem: Problem, answer: str) -> Grade:
        return Grade(Verdict.EQUAL if answer.lower() == problem.metadata["right"] else Verdict.UNEQUAL)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        alike: dict[str, list[int]] = {}
        for index, answer in enumerate(answers):
            if answer is not None:
                alike.setdefault(answer.lower(), []).append(index)
        return sorted(alike.values(), key=lambda members: (-len(members), members[0]))


class Recites(Calculator):
    """Gives every problem the same replies in turn."""

    async def generate(self, request: Request) -> Completion:
        return await ScriptedEngine.generate(self, request)


async def recorded(folder: Path, task: dict[str, Any]) -> Path:
    """Run a vote of four of which two say west, in either case, and two say east."""
    engine = Recites({}, codec=WordCodec())
    engine.replies = {"": [f" so </think> {text}" for text in SAID]}
    checked, _ = sums_cell(folder, engine=engine, strategy=MajorityVote(n=4))
    config = {"model": CONFIG_MODEL, "strategy": {"temperature": None, "top_p": None}, "task": task}
    cell = replace(checked.cell, task=Winds(), config=config)
    await run_cell(replace(checked, cell=cell, problems=tuple(Winds().problems())), engine, grader())
    return folder


WINDS = {"_target_": f"{__name__}.Winds", "num_problems": 1}


async def test_a_replay_and_its_replay_grade_as_the_run_did(tmp_path: Path) -> None:
    run = await recorded(tmp_path / "run", WINDS)
    first = replaying(ReplayRun(str(run)), MajorityVote(n=3), tmp_path / "first")
    first = replace(first, config={"engine": {"run": str(run)}, "model": CONFIG_MODEL, "task": {}})

    assert (await replayed(first))["num_correct"] == 1  # west in two cases of three
    second = replaying(ReplayRun(str(tmp_path / "first")), MajorityVote(n=1), tmp_path / "second")
    assert (await replayed(second))["num_correct"] == 0  # east came first


async def test_a_task_that_cannot_be_imported_is_one_line(tmp_path: Path) -> None:
    run = await recorded(tmp_path / "run", {"_target_": "no_such_package.Winds"})
    with pytest.raises(ValueError, match=r"graded by no_such_package\.Winds, which cannot be imported$"):
        ReplayRun(str(run)).parts()
