"""The progress of all groups on one screen, counted from their folders, whatever machine writes them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tts_eval.fleet.group import Group, Say
from tts_eval.tracking.console import ProgressDisplay, progress_display
from tts_eval.tracking.progress import Progress

REFRESH_S = 1.0


@dataclass
class Screen:
    """Says when groups start and end, and shows the problems done of all of them together."""

    groups: Sequence[Group]
    say: Say
    display: ProgressDisplay
    _began_s: float = field(default_factory=time.monotonic)
    _started_s: dict[Group, float] = field(default_factory=dict)
    _lines: dict[Path, _Lines] = field(default_factory=dict)

    def started(self, group: Group, where: str) -> None:
        """Say that a worker of `group` begins."""
        self._started_s[group] = time.monotonic()
        self.say(f"{self._name(group)} on {where}")

    def ended(self, group: Group, how: str) -> None:
        """Say how a worker of `group` ended, and after how long."""
        took_s = time.monotonic() - self._started_s[group]
        self.say(f"{self._name(group)} {how} after {took_s:.0f} s, {self._done(group)} problems done")

    def refresh(self) -> None:
        """Show how far they are."""
        self.display.update(
            Progress(
                num_problems=sum(group.num_problems for group in self.groups),
                num_done=sum(map(self._done, self.groups)),
                num_correct=None,
                num_failed=0,
                num_generated_tokens=None,
                elapsed_s=time.monotonic() - self._began_s,
                usd=None,
            )
        )

    def _name(self, group: Group) -> str:
        return f"group {self.groups.index(group) + 1} of {len(self.groups)} ({group.name})"

    def _done(self, group: Group) -> int:
        files = (folder / "problems.jsonl" for folder in group.folders)
        return sum(self._lines.setdefault(file, _Lines(file)).count() for file in files)


@dataclass
class _Lines:
    """A growing file of lines; what has been counted is not read again."""

    file: Path
    num: int = 0
    _position: int = 0

    def count(self) -> int:
        try:
            with self.file.open("rb") as lines:
                lines.seek(self._position)
                more = lines.read()
        except FileNotFoundError:
            return self.num
        self.num += more.count(b"\n")
        self._position += len(more)
        return self.num


@contextmanager
def screen(groups: Sequence[Group], say: Say) -> Iterator[Screen]:
    """Open the screen of `groups`."""
    with progress_display(sum(group.num_problems for group in groups), stream=sys.stderr) as display:
        shown = Screen(groups, say, display)
        try:
            yield shown
        finally:
            shown.refresh()
