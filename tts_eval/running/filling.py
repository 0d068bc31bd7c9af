"""Fill: problems asked once more, unmeasured, that keep a steady load up around the measured ones.

Nothing of it may reach a stored outcome. It has seeds, copies of strategy and verifier, and a part of the
prefix cache of its own; its calls are kept under ids that mark them, so that the engine's counters can be
audited, and no figure counts them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from tts_eval.engines.salted import SaltedEngine
from tts_eval.measuring.meter import Clock, Meter
from tts_eval.records import Problem
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.outcome import Fill
from tts_eval.running.attempt import Attempting
from tts_eval.running.loads import Arrival


@dataclass
class Filling:
    """The fill of one session; made before its first arrival, while strategy and verifier are untouched."""

    attempting: Attempting
    directory: RunDirectory
    session: int
    clock: Clock
    _failed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._untouched = self.attempting.checked.apart()
        earlier = (int(fill.problem_id.rpartition("-")[2]) for fill in self.directory.fills())
        self._first_round = max(earlier, default=-1) + 1  # no name stands for the fill of two sessions

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the cell's problems round and round, so that a closed loop's first k end before the first.

        One whose strategy raised is left out from then on: where it fails at once, it loads nothing, and an
        idle loop of failures would. Ends once all have failed.
        """
        problems = self._untouched.problems
        first = -(self._untouched.cell.load.in_flight or 0)
        number = self._first_round
        while len(self._failed) < len(problems):
            of_round = self._of_round(number)
            for place in range(len(problems)):
                problem = problems[(first + place) % len(problems)]
                if problem.id not in self._failed:
                    yield partial(self._arrive, problem, f"{problem.id}#fill-{number}", of_round)
            number += 1

    def _of_round(self, number: int) -> Attempting:
        """Return what the attempts of one round share: no part of it has met one of its problems before."""
        salted = {
            name: replace(served, engine=SaltedEngine(served.engine, f"fill-{number}"))
            for name, served in self.attempting.roles.items()
        }
        return replace(self.attempting, checked=self._untouched.apart(), roles=salted)

    async def _arrive(self, problem: Problem, name: str, attempting: Attempting, arrived_s: float) -> None:
        meter = Meter(name, self.clock, arrived_s=arrived_s)
        is_stopped = True
        try:
            tried = await attempting.attempt(problem, meter)
            is_stopped = False
            if tried.error is not None:
                self._failed.add(problem.id)
            await asyncio.sleep(0)  # an answer from a store takes no time, and the others must get on
        finally:
            fill = Fill(name, self.session, meter.arrived_s, self.clock(), is_stopped)
            self.directory.append_fill(fill, meter.calls)
