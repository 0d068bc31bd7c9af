"""The task of a recording: its problems, under its name, with answers found and graded as that task does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from hydra.utils import get_class, instantiate

from tts_eval.engines.replay.recording import Recording
from tts_eval.grading.grade import Grade
from tts_eval.grading.grader import Grader
from tts_eval.protocols import Task
from tts_eval.records import Problem
from tts_eval.rundir.directory import RunDirectory

HOOKS = ("extract", "extract_truncated", "grade", "group")


@dataclass(frozen=True)
class RecordedTask(Task):
    """The problems of a recording; `own` is the task that found and graded their answers."""

    recording: Recording
    own: Task

    @property
    def name(self) -> str:
        """What the benchmark is called in tables."""
        return self.recording.task

    def problems(self) -> Sequence[Problem]:
        """Return the recorded problems, with what the task's own grading knows of them besides."""
        recorded = self.recording.problems
        if type(self.own).grade is Task.grade:
            return recorded
        metadata = {problem.id: problem.metadata for problem in self.own.problems()}
        return [replace(problem, metadata=metadata[problem.id]) for problem in recorded]

    def extract(self, text: str) -> str | None:
        """Return the answer that `text` states."""
        return self.own.extract(text)

    def extract_truncated(self, text: str) -> str | None:
        """Return the answer of a `text` that was cut off."""
        return self.own.extract_truncated(text)

    async def grade(self, problem: Problem, answer: str) -> Grade:
        """Return whether `answer` is right."""
        return await self.own.grade(problem, answer)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        """Return the classes of answers that are the same."""
        return await self.own.group(answers)

    async def num_unparsed(self, answers: Sequence[str | None]) -> int:
        """Return how many answers do not parse as mathematics."""
        return await self.own.num_unparsed(answers)

    async def unparsed_golds(self, golds: Sequence[str]) -> list[str]:
        """Return the gold answers that only their own text can equal."""
        return await self.own.unparsed_golds(golds)

    def with_grader(self, grader: Grader) -> Self:
        """Return the task with the workers that compare mathematics."""
        return replace(self, own=self.own.with_grader(grader))


def task_of_run(folder: Path) -> Task:
    """Return the task that graded the run in `folder`; of a replay, the one that graded what it replays.

    One whose answers are mathematics is not built: its data need not be here. Raises ValueError where the
    class of another cannot be imported.
    """
    manifest = RunDirectory(folder).manifest()
    settings = manifest.config["task"]
    if manifest.is_replay:
        source = Path(manifest.sessions[-1].engine.settings["source"])
        return task_of_run(source) if source.is_dir() else Task()
    try:
        kind: type[Task] = get_class(settings["_target_"])
    except (ImportError, ValueError):
        raise ValueError(
            f"engine.run={folder}: its answers are graded by {settings['_target_']}, which cannot be imported"
        ) from None
    if all(getattr(kind, hook) is getattr(Task, hook) for hook in HOOKS):
        return Task()
    own: Task = instantiate(settings, _convert_="all")
    return own
