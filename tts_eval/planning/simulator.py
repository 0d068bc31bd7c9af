"""Layer 3, the event simulator: jobs arrive, are spread over all replicas of a plan, and are answered.

A call goes to the replica with the fewest calls unfinished, as behind vLLM's data-parallel load balancer.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from tts_eval.planning.replica import Replica, Request
from tts_eval.planning.workload import Job


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of the jobs; seconds on one clock from the first arrival. Everything is modelled.

    `requests` are the calls of each job, `spent_s` engine seconds by what they went into, over all engines.
    """

    arrived_s: list[float]
    finished_s: list[float]
    requests: list[list[Request]]
    spent_s: dict[str, float]
    num_generated_tokens: int
    num_prefilled_tokens: int
    num_recomputed_tokens: int
    num_preemptions: int
    usage_peak: float

    @property
    def wall_s(self) -> float:
        return max(self.finished_s) - min(self.arrived_s)

    @property
    def tta_s(self) -> list[float]:
        """Time to answer of each job."""
        return [end - begin for begin, end in zip(self.arrived_s, self.finished_s, strict=True)]

    @property
    def generated_tokens_per_s(self) -> float:
        return self.num_generated_tokens / self.wall_s


def simulate(
    jobs: Sequence[Job], new_replica: Callable[[], Replica], *, num_engines: int, in_flight: int | None
) -> Simulated:
    """Play `jobs` through `num_engines` replicas; `in_flight` None lets each arrive at its own time."""
    run = _Run(list(jobs), [new_replica() for _ in range(num_engines)], closed=in_flight is not None)
    run.play(in_flight)
    engines = run.engines
    return Simulated(
        arrived_s=run.arrived_s,
        finished_s=run.finished_s,
        requests=run.requests,
        spent_s={part: sum(e.spent_s[part] for e in engines) for part in engines[0].spent_s},
        num_generated_tokens=sum(e.num_generated_tokens for e in engines),
        num_prefilled_tokens=sum(e.num_prefilled_tokens for e in engines),
        num_recomputed_tokens=sum(e.num_recomputed_tokens for e in engines),
        num_preemptions=sum(e.num_preemptions for e in engines),
        usage_peak=max(e.usage_peak for e in engines),
    )


@dataclass(slots=True)
class _Run:
    """The state of one simulation: events by time, and what every job waits for."""

    jobs: list[Job]
    engines: list[Replica]
    closed: bool
    events: list[tuple[float, int, int, int]] = field(default_factory=list)  # time, order, engine or -1, what
    order: count[int] = field(default_factory=count)
    arrived_s: list[float] = field(default_factory=list)
    finished_s: list[float] = field(default_factory=list)
    requests: list[list[Request]] = field(default_factory=list)
    num_open: list[int] = field(default_factory=list)
    next_round: list[int] = field(default_factory=list)
    ends: list[float | None] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    next_job: int = 0

    def play(self, in_flight: int | None) -> None:
        num_jobs = len(self.jobs)
        self.arrived_s, self.finished_s = [0.0] * num_jobs, [0.0] * num_jobs
        self.requests = [[] for _ in self.jobs]
        self.num_open, self.next_round = [0] * num_jobs, [0] * num_jobs
        self.ends, self.versions = [None] * len(self.engines), [0] * len(self.engines)
        if in_flight is None:
            for number, job in enumerate(self.jobs):
                self._push(job.arrived_s, -1, number)
        else:
            for _ in range(min(in_flight, num_jobs)):
                self._arrive_next(0.0)
        while self.events:
            self._play_moment(self.events[0][0])

    def _play_moment(self, now_s: float) -> None:
        """Handle all that happens at `now_s`, then let the engines that it concerns go on."""
        while self.events and self.events[0][0] == now_s:
            _, _, engine, what = heapq.heappop(self.events)
            if engine < 0:
                self._arrive(what, now_s)
            elif what == self.versions[engine]:
                self.ends[engine] = None
                for request in self.engines[engine].end(now_s):
                    self._finish(request, now_s)
        for number, replica in enumerate(self.engines):
            if self.ends[number] is None and replica.num_unfinished:
                self._schedule(number, replica.begin(now_s))

    def _push(self, at_s: float, engine: int, what: int) -> None:
        heapq.heappush(self.events, (at_s, next(self.order), engine, what))

    def _schedule(self, engine: int, end_s: float | None) -> None:
        self.ends[engine] = end_s
        self.versions[engine] += 1
        if end_s is not None:
            self._push(end_s, engine, self.versions[engine])

    def _arrive_next(self, now_s: float) -> None:
        if self.next_job < len(self.jobs):
            self._push(now_s, -1, self.next_job)
            self.next_job += 1

    def _arrive(self, job: int, now_s: float) -> None:
        self.arrived_s[job] = now_s
        self._begin_round(job, now_s)

    def _begin_round(self, job: int, now_s: float) -> None:
        """Hand out the calls of the next round; a job without another one is answered."""
        rounds = self.jobs[job].rounds
        if self.next_round[job] == len(rounds):
            self.finished_s[job] = now_s
            if self.closed:
                self._arrive_next(now_s)
            return
        pieces = rounds[self.next_round[job]]
        self.next_round[job] += 1
        self.num_open[job] = len(pieces)
        for piece in pieces:
            loads = [engine.num_unfinished for engine in self.engines]
            engine = loads.index(min(loads))
            request = Request(piece, job, now_s)
            self.requests[job].append(request)
            self.engines[engine].submit(request)
            if self.ends[engine] is not None:
                end_s = self.engines[engine].interrupt(now_s)
                if end_s is not None:
                    self._schedule(engine, end_s)

    def _finish(self, request: Request, now_s: float) -> None:
        self.num_open[request.owner] -= 1
        if not self.num_open[request.owner]:
            self._begin_round(request.owner, now_s)
