"""This machine: one engine after the other, or side by side on GPUs or cores of their own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from tts_eval import checks
from tts_eval.fleet.group import Assignment, Fleet, Group, Reasons, Say, Work, assignments, lost
from tts_eval.fleet.process import Place, WorkerProcess, gpu_names, stop_all
from tts_eval.fleet.screen import REFRESH_S, Screen, screen


@dataclass(frozen=True, slots=True)
class LocalFleet(Fleet):
    """Pack groups onto the GPUs of this machine, the largest first; no two engines share a GPU.

    `gpus` are those to use, as CUDA_VISIBLE_DEVICES names them; null takes all that this process may use.
    `max_engines` limits the engines side by side; null is as many as the GPUs hold, and one without GPUs:
    there more of them divide the cores evenly. A group whose worker is lost is started again `max_restarts`
    times.
    """

    gpus: Sequence[str | int] | None = None
    max_engines: int | None = None
    max_restarts: int = 2

    def __post_init__(self) -> None:
        checks.optional_whole_number("fleet.max_engines", self.max_engines, minimum=1)
        checks.whole_number("fleet.max_restarts", self.max_restarts, minimum=0)

    def check(self, groups: Sequence[Group]) -> None:
        """Raise ValueError where a group holds more GPUs than there are, or engines more cores."""
        gpus, cores = self._gpus(), len(os.sched_getaffinity(0))
        if unknown := [name for name in gpus if name not in gpu_names()]:
            here = ", ".join(gpu_names()) or "none"
            raise ValueError(f"fleet.gpus names GPU {unknown[0]}, which is not here; allowed: {here}")
        for group in groups:
            if group.num_gpus > max(1, len(gpus)):  # a machine without GPUs counts as one
                raise ValueError(
                    f"{group.name}: its engine holds {group.num_gpus} GPUs, but fleet=local has {len(gpus)}; "
                    f"allowed: at most {len(gpus)}, or fleet=ray or fleet=slurm"
                )
        if self.max_engines is not None and not gpus and self.max_engines > cores:
            raise ValueError(
                f"fleet.max_engines={self.max_engines} engines side by side need a core each; this machine "
                f"has {cores}; allowed: 1 to {cores}"
            )

    def is_here(self, groups: Sequence[Group]) -> bool:
        """Whether no two of `groups` can run side by side."""
        gpus = self._gpus()
        if len(groups) < 2 or self.max_engines == 1:
            return True
        if not gpus:
            return self.max_engines is None
        return sum(sorted(max(1, group.num_gpus) for group in groups)[:2]) > len(gpus)

    def run(self, groups: Sequence[Group], work: Work, *, folder: Path, say: Say) -> Reasons:
        """Run `groups` side by side where they fit; one whose worker is lost is queued again."""
        places = _Places(self._gpus(), sorted(os.sched_getaffinity(0)), self.max_engines)
        by_size = sorted(zip(groups, assignments(groups, work, folder), strict=True), key=_size)
        with screen(groups, say) as shown:
            packing = _Packing(places, [_Start(*each) for each in by_size], self.max_restarts, shown)
            return packing.run()

    def _gpus(self) -> tuple[str, ...]:
        return gpu_names() if self.gpus is None else tuple(map(str, self.gpus))


def _size(start: tuple[Group, Assignment]) -> int:
    return -start[0].num_gpus


@dataclass(frozen=True, slots=True)
class _Start:
    """A group to be started for the `number`-th time."""

    group: Group
    assignment: Assignment
    number: int = 1


class _Places:
    """What is free: GPUs, or on a machine without any as many shares of the cores as engines may run."""

    def __init__(self, gpus: Sequence[str], cores: Sequence[int], max_engines: int | None) -> None:
        self._gpus = list(gpus)
        num_shares = max_engines or 1
        self._shares = [tuple(cores[number::num_shares]) for number in range(num_shares)]
        self._has_gpus = bool(gpus)
        self._num_free = max_engines if max_engines is not None else len(gpus) or 1

    def take(self, group: Group) -> Place | None:
        """Return a place for `group`, None while there is none."""
        if not self._num_free:
            return None
        if not self._has_gpus:
            place = Place(cores=self._shares.pop(0))
        else:
            num_gpus = max(1, group.num_gpus)
            if num_gpus > len(self._gpus):
                return None
            place = Place(gpus=tuple(self._gpus[:num_gpus]))
            del self._gpus[:num_gpus]
        self._num_free -= 1
        return place

    def give_back(self, place: Place) -> None:
        """Take `place` back from a worker that has ended."""
        self._num_free += 1
        if place.gpus:
            self._gpus += place.gpus
        else:
            self._shares.append(place.cores)


@dataclass
class _Packing:
    """Groups that wait and workers that run."""

    places: _Places
    waiting: list[_Start]
    max_restarts: int
    screen: Screen
    running: dict[WorkerProcess, tuple[_Start, Place]] = field(default_factory=dict)

    def run(self) -> Reasons:
        """Start groups as places come free, until all have ended; stop every worker if we are interrupted."""
        reasons: dict[Path, str] = {}
        try:
            while self.waiting or self.running:
                self._start_what_fits()
                wait([worker.sentinel for worker in self.running], timeout=REFRESH_S)
                for worker in [worker for worker in self.running if wait([worker.sentinel], timeout=0)]:
                    reasons |= self._ended(worker)
                self.screen.refresh()
        finally:
            stop_all(list(self.running))
        return reasons

    def _start_what_fits(self) -> None:
        for start in list(self.waiting):
            if (place := self.places.take(start.group)) is not None:
                self.waiting.remove(start)
                self.screen.started(start.group, str(place))
                self.running[WorkerProcess(start.assignment, place)] = start, place

    def _ended(self, worker: WorkerProcess) -> Reasons:
        start, place = self.running.pop(worker)
        result = worker.result()
        self.places.give_back(place)
        self.screen.ended(start.group, "ended" if result is not None else f"lost ({worker.ending})")
        if result is not None:
            return result
        if start.number <= self.max_restarts:
            self.waiting.append(_Start(start.group, start.assignment, start.number + 1))
            return {}
        return lost(start.group, num_starts=start.number, how=worker.ending, log=start.assignment.log)
