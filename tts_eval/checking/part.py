"""One part of a machine's check, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

Figure = float | int | str | bool | None
Figures = Mapping[str, Figure]
Command = Sequence[str]  # what follows `python -m`


class Status(StrEnum):
    """How a part ended."""

    PASSED = "passed"
    FAILED = "failed"
    CUT = "cut"  # its time was over
    SKIPPED = "skipped"


class Fault(Exception):
    """What was measured is not what it must be; the figures are kept."""

    def __init__(self, why: str, figures: Figures) -> None:
        super().__init__(why)
        self.figures = figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Programs that run one after the other in `limit_s` seconds, and what is read from their folder.

    `read` is given the part's folder and raises Fault where the figures are wrong. `not_on_cpu` says why a
    machine without a GPU cannot run it. `after` names a part whose folder it reads too.
    """

    name: str
    shows: str
    commands: Sequence[Command]
    read: Callable[[Path], Figures]
    limit_s: float
    num_gpus: int = 1
    not_on_cpu: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a part; `why` is empty where it passed."""

    name: str
    status: Status
    seconds: float = 0.0
    why: str = ""
    figures: Figures = field(default_factory=dict)
