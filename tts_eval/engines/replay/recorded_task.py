"""The task of a recording: its problems, under its name, with answers found and graded as that task does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hydra.utils import get_class, instantiate

from tts_eval.engines.replay.recording import Recording
from tts_eval.protocols import DelegatedTask, Task
from tts_eval.records import Problem
from tts_eval.rundir.directory import RunDirectory

HOOKS = ("extract", "extract_truncated", "grade", "group")


@dataclass(frozen=True)
class RecordedTask(DelegatedTask):
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


def task_of_run(folder: Path) -> Task:
    """Return the task that graded the run in `folder`; of a replay, the one that graded what it replays.

    One whose answers are mathematics is not built: its data need not be here. Raises ValueError where the
    class of another cannot be imported.
    """
    manifest = RunDirectory(folder).manifest()
    settings = manifest.config.get("task", {})
    if manifest.is_replay:
        source = Path(manifest.sessions[-1].engine.settings["source"])
        return task_of_run(source) if source.is_dir() else Task()
    if "_target_" not in settings:
        return Task()
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
