"""The problems of an earlier run with their outcomes: its files name problems by id alone."""

from __future__ import annotations

from pathlib import Path

from hydra.utils import instantiate

from tts_eval.protocols import Task
from tts_eval.records import Problem
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.outcome import Outcome


def solved_problems(folder: Path) -> list[tuple[Problem, Outcome]]:
    """Return the finished problems of the run in `folder`; ValueError if there is none that can be read."""
    directory = RunDirectory(folder)
    settings = directory.manifest().config["task"]
    if "_target_" not in settings:
        raise ValueError(f"{folder} is a replay, which does not hold the questions of its problems")
    task: Task = instantiate(settings, _convert_="all")
    problems = {problem.id: problem for problem in task.problems()}
    return [(problems[outcome.problem_id], outcome) for outcome in directory.outcomes()]
