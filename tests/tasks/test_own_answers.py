"""A task that is not mathematics overrides extract, grade and group, and nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from strategies.majority_vote import MajorityVote
from strategies.self_refine import SelfRefine
from tests.running.cells import Calculator, sums_cell
from tts_eval.grading.grade import Grade, Verdict
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import ScriptedEngine, WordCodec
from tts_eval.protocols import Strategy, Task
from tts_eval.records import Problem
from tts_eval.requests import Completion, Request
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.outcome import Outcome
from tts_eval.running.loop import run_cell
from tts_eval.running.sweep import _tell_unparsed_golds


@dataclass(frozen=True)
class Capitals(Task):
    """Words in either case; to mathematics each would be a product of letters."""

    def problems(self) -> Sequence[Problem]:
        return [Problem("nl", "Seat of government?", "the hague"), Problem("fr", "Capital?", None)]

    def extract(self, text: str) -> str | None:
        found = re.search(r"City: (.+)", text)
        return found[1] if found else None

    async def grade(self, problem: Problem, answer: str) -> Grade:
        gold = problem.gold or "paris"  # a task may know what is right without a gold answer
        return Grade(Verdict.EQUAL if answer.lower() == gold else Verdict.UNEQUAL)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        alike: dict[str, list[int]] = {}
        for index, answer in enumerate(answers):
            if answer is not None:
                alike.setdefault(answer.lower().removeprefix("the "), []).append(index)
        return sorted(alike.values(), key=lambda members: (-len(members), members[0]))


class Recites(Calculator):
    """Gives every problem the same replies in turn."""

    async def generate(self, request: Request) -> Completion:
        return await ScriptedEngine.generate(self, request)


async def outcomes(folder: Path, strategy: Strategy, replies: Sequence[str]) -> list[Outcome]:
    """Run both problems; the workers that compare mathematics are not there to be asked."""
    engine = Recites({}, codec=WordCodec())
    engine.replies = {"": replies}
    checked, _ = sums_cell(folder, engine=engine, strategy=strategy)
    task = Capitals()
    checked = replace(checked, cell=replace(checked.cell, task=task), problems=tuple(task.problems()))
    await run_cell(checked, engine, Grader(GradingPool()))
    return RunDirectory(folder).outcomes()


async def test_votes_grades_and_interim_answers_are_the_tasks(tmp_path: Path) -> None:
    said = ["City: Hague", "City: the hague", "City: Utrecht"]
    nl, _ = await outcomes(tmp_path, MajorityVote(n=3), [f" so </think> {text}" for text in said])

    assert nl.attempt is not None
    assert nl.attempt.answer == "Hague"  # two of three, spelt as it came first
    assert nl.classes == (0, 0, 1)
    assert nl.grade == Grade(Verdict.UNEQUAL)  # it grades by more than it groups by
    assert nl.verdicts == {"Hague": "unequal", "the hague": "equal", "Utrecht": "unequal"}
    assert nl.interims[-1].answer == "Hague"
    assert nl.num_unparsed == 0


async def test_a_task_may_grade_without_a_gold_answer(tmp_path: Path) -> None:
    nl, fr = await outcomes(tmp_path, SelfRefine(max_rounds=0), [" so </think> City: Paris"])

    assert (nl.grade.verdict, fr.grade.verdict) == (Verdict.UNEQUAL, Verdict.EQUAL)
    assert fr.grade.reason is None


async def test_a_text_that_is_cut_is_read_by_the_same_extract(tmp_path: Path) -> None:
    cut = MajorityVote(n=1, max_tokens=4)
    nl, _ = await outcomes(tmp_path, cut, [" so </think> City: Paris or somewhere else"])

    assert nl.attempt is not None
    assert nl.attempt.answer == "Paris"


async def test_no_gold_answer_of_its_is_held_against_mathematics(tmp_path: Path) -> None:
    checked, _ = sums_cell(tmp_path)
    task = Capitals()
    checked = replace(checked, cell=replace(checked.cell, task=task), problems=tuple(task.problems()))
    said: list[str] = []
    await _tell_unparsed_golds([checked], Grader(GradingPool()), said.append)

    assert said == []
