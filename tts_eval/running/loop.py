"""The run loop: lets problems arrive, has each one solved and graded, and keeps what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from tts_eval.engines.chunked import ChunkedEngine
from tts_eval.engines.protocol import AnyEngine, Engine
from tts_eval.engines.scheduling import ATTAINED
from tts_eval.grading.grade import Grade, Reason, Verdict
from tts_eval.grading.grader import Grader
from tts_eval.llm.call import Served
from tts_eval.measuring.machine import Machine, MachineReading, open_machine
from tts_eval.measuring.meter import Clock, Meter
from tts_eval.protocols import Task
from tts_eval.records import Problem
from tts_eval.requests import REPLAYED
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.json_lines import NotKept
from tts_eval.rundir.outcome import Outcome
from tts_eval.running.attempt import Attempting, Tried, grade_of, judge
from tts_eval.running.cell import CheckedCell
from tts_eval.running.continuing import check_folder
from tts_eval.running.deployment import distinct
from tts_eval.running.filling import Filling
from tts_eval.running.manifest import manifest_of
from tts_eval.running.watch import watching
from tts_eval.spend import Spend
from tts_eval.summary.summarizing import summarize
from tts_eval.summary.summary import SUMMARY, Summary

GAUGE_INTERVAL_S = 0.25
NO_ROLES: Mapping[str, AnyEngine] = MappingProxyType({})


async def run_cell(
    checked: CheckedCell, engine: AnyEngine, grader: Grader, *, roles: Mapping[str, AnyEngine] = NO_ROLES
) -> Summary:
    """Solve those problems of the cell that its folder does not hold yet, and summarize them all.

    `engine` is the policy's, `roles` holds those of the cell's other roles. A strategy that raises fails its
    problem alone. EngineDied and NotKept (the disk is full) end the run; what was finished is kept.
    """
    directory = RunDirectory(checked.cell.directory)
    check_folder(checked)
    directory.open()
    earlier = directory.found_manifest()
    finished = directory.outcomes()
    engines = distinct({"policy": engine, **roles})
    is_on_gpu = engine.facts.device not in ("cpu", "server")  # a server's GPUs are not this machine's
    with open_machine(checked.cell.deployment.num_gpus if is_on_gpu else 0) as machine:
        manifest = manifest_of(
            checked,
            engine.facts,
            roles={name: role_engine.facts for name, role_engine in roles.items()},
            startup_s=sum(each.facts.startup_s for each in engines),
            idle_power_w=await machine.idle_power_w(),
            earlier=earlier,
        )
        directory.write_manifest(manifest)
        finished_ids = {outcome.problem_id for outcome in finished}
        pending = [problem for problem in checked.problems if problem.id not in finished_ids]
        for each in engines:
            await each.forget()
        with watching(checked, finished) as watch:
            began_s, task = time.monotonic(), checked.cell.task
            loop = _RunLoop(
                attempting=Attempting(
                    checked, task.with_grader(grader.for_votes()), _served(checked, engine, roles)
                ),
                engine=engine,
                machine=machine,
                task=task.with_grader(grader),
                directory=directory,
                session=len(manifest.sessions) - 1,
                clock=lambda: time.monotonic() - began_s,
            )
            async with nullcontext() if engine.facts.provenance == REPLAYED else loop.sampling_gauges():
                await loop.solve(pending, watch.see)
            summary = summarize(directory)
            directory.write(SUMMARY, summary)
            watch.finish(summary, directory.outcomes())
    return summary


@dataclass
class _RunLoop:
    """One session of a run."""

    attempting: Attempting
    engine: AnyEngine
    machine: Machine
    task: Task
    directory: RunDirectory
    session: int
    clock: Clock
    _grading: list[asyncio.Task[None]] = field(default_factory=list)
    _driving: asyncio.Future[None] | None = None
    _lost: NotKept | None = None

    async def solve(self, pending: Sequence[Problem], see: Callable[[Outcome, float], None]) -> None:
        """Let `pending` arrive under the declared load; `see` is called with each outcome and its time."""
        cell = self.attempting.checked.cell
        arrivals = [partial(self._arrive, problem, see) for problem in pending]
        fill = Filling(self.attempting, self.directory, self.session, self.clock) if cell.is_filled else None
        driving = cell.load.drive(arrivals, clock=self.clock, fill=fill.arrivals() if fill else ())
        self._driving = asyncio.ensure_future(driving)
        try:
            await self._driving
        finally:
            await asyncio.gather(*self._grading)
            if self._lost is not None:
                raise self._lost

    def _keep(self, write: Callable[[], None]) -> None:
        """Write to the folder; a disk that does not take it ends the run, which could keep nothing more."""
        try:
            write()
        except NotKept as lost:
            self._lost = self._lost or lost
            if self._driving is None or self._driving.done():
                raise
            self._driving.cancel()

    async def _arrive(
        self, problem: Problem, see: Callable[[Outcome, float], None], arrived_s: float
    ) -> None:
        """Solve one problem, from its arrival to its answer; grading holds nobody up."""
        meter = Meter(problem.id, self.clock, arrived_s=arrived_s)
        tried = await self.attempting.attempt(problem, meter)
        spend, trace = meter.spend(), tried.trace
        if trace is not None:
            self._keep(lambda: self.directory.append_error(problem.id, trace))
        self._grading.append(asyncio.create_task(self._graded(problem, meter, tried, spend, see)))

    async def _graded(
        self,
        problem: Problem,
        meter: Meter,
        tried: Tried,
        spend: Spend,
        see: Callable[[Outcome, float], None],
    ) -> None:
        """Grade what came of `problem`, write it down and show it."""
        attempt = tried.attempt
        if self.engine.facts.is_synthetic:
            grade = Grade(Verdict.UNDECIDED, Reason.SYNTHETIC)
            verdicts, classes, num_unparsed = await judge(self.task, problem, None, ())
        else:
            grade = await grade_of(self.task, problem, attempt)
            judged = await judge(self.task, problem, attempt, meter.interims)
            verdicts, classes, num_unparsed = judged
        outcome = Outcome(
            problem_id=problem.id,
            level=problem.level,
            gold=problem.gold,
            session=self.session,
            attempt=attempt,
            grade=grade,
            spend=spend,
            interims=tuple(meter.interims),
            error=tried.error,
            cut=tried.cut,
            verdicts=verdicts,
            classes=classes,
            num_unparsed=num_unparsed,
        )
        if self.engine.facts.provenance == REPLAYED:
            unknown_tokens = self.engine.facts.settings["unknown_tokens"]
            append: Callable[..., None] = partial(
                self.directory.append_untimed, unknown_tokens=unknown_tokens
            )
        else:
            append = self.directory.append
        self._keep(lambda: append(outcome, meter.calls))
        if self._lost is None:
            see(outcome, self.clock())

    @asynccontextmanager
    async def sampling_gauges(self) -> AsyncIterator[None]:
        """Keep what engine and machine show at the start, every `GAUGE_INTERVAL_S` s, and at the end."""

        def keep(machine: MachineReading) -> None:
            gauges = self.engine.gauges()
            append = partial(self.directory.append_gauges, session=self.session, at_s=self.clock())
            self._keep(lambda: append(gauges, machine))

        async def sample_on() -> None:
            while True:
                await asyncio.sleep(GAUGE_INTERVAL_S)
                keep(await asyncio.to_thread(self.machine.read))

        keep(self.machine.read())
        sampling = asyncio.create_task(sample_on())
        try:
            yield
        finally:
            sampling.cancel()
            keep(self.machine.read())


def _served(checked: CheckedCell, engine: AnyEngine, roles: Mapping[str, AnyEngine]) -> dict[str, Served]:
    """Return the models of the run by role; the policy's samples are drawn as the cell schedules them."""
    cell, scheduling = checked.cell, checked.cell.scheduling
    if scheduling.chunk_tokens is not None:
        assert isinstance(engine, Engine), "the cell was checked"
        engine = ChunkedEngine(
            engine, scheduling.chunk_tokens, is_least_attained_first=scheduling.priority == ATTAINED
        )
    served = {"policy": Served(cell.model, checked.codec, engine)}
    for name, role in cell.roles.items():
        served[name] = Served(role.model, checked.roles[name].codec, roles[name])
    return served
