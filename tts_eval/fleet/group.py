"""Groups of cells that share an engine start, and the contract of the fleets that run them.

A group is handed to a worker process as the folders of its runs, which hold all of their configuration. A
worker resumes what is in them, so a lost worker costs only its unfinished problems, wherever it ran.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

Reasons = Mapping[Path, str]
Work = Callable[[Sequence[Path]], Reasons]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Group:
    """Cells on one engine start, one after the other: `folders` are those of their runs.

    `num_gpus` are held while they run; 0 where the engines run on the processors. `spans_nodes` says that
    vLLM places the engine's workers over a Ray cluster itself.
    """

    name: str
    folders: tuple[Path, ...]
    num_problems: int
    num_gpus: int = 0
    spans_nodes: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """A group as a worker process is handed it; `log` takes what the worker prints."""

    work: Work
    folders: tuple[Path, ...]
    log: Path
    directory: Path

    def run(self) -> Reasons:
        """Run the cells in this process; return why those without a summary have none."""
        os.chdir(self.directory)  # relative paths of the configuration count from there
        sys.stdout.flush()
        sys.stderr.flush()
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for standard in (1, 2):
            os.dup2(descriptor, standard)
        os.close(descriptor)
        return self.work(self.folders)


class Fleet:
    """Where groups of cells run: the base of every fleet, a frozen dataclass whose fields are its YAML."""

    @property
    def is_followed(self) -> bool:
        """Whether `run` returns when the groups have ended, and not when they are queued."""
        return True

    def is_here(self, groups: Sequence[Group]) -> bool:
        """Whether `groups` run one after the other in this process, without `run`."""
        return False

    def check(self, groups: Sequence[Group]) -> None:
        """Raise ValueError where a group can never run here, before anything is loaded or written."""

    def run(self, groups: Sequence[Group], work: Work, *, folder: Path, say: Say) -> Reasons:
        """Run `groups` in worker processes; return why cells without a summary have none.

        `folder` takes the workers' logs. A cell that is not named and has no summary was lost unheard.
        """
        raise NotImplementedError


def assignments(groups: Sequence[Group], work: Work, folder: Path) -> list[Assignment]:
    """Return an assignment a group, with logs `1.log`, `2.log`, ... in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        Assignment(work, group.folders, folder / f"{number}.log", Path.cwd())
        for number, group in enumerate(groups, start=1)
    ]


def lost(group: Group, *, num_starts: int, how: str, log: Path) -> Reasons:
    """Return the reason for every cell of a group whose workers were lost."""
    times = "once" if num_starts == 1 else f"{num_starts} times"
    return dict.fromkeys(group.folders, f"its worker was lost {times} ({how}; log: {log})")


@contextmanager
def exported_path() -> Iterator[None]:
    """Let processes that are started meanwhile import what this one can."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
