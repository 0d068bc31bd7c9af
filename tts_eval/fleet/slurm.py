"""Slurm, through submitit: a job a group, as arrays; resumed when it was preempted or its node was lost."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tts_eval import checks
from tts_eval.fleet.group import (
    Assignment,
    Fleet,
    Group,
    Reasons,
    Say,
    Work,
    assignments,
    exported_path,
    lost,
)
from tts_eval.fleet.screen import REFRESH_S, Screen, screen

if TYPE_CHECKING:
    from submitit import Executor, Job
    from submitit.helpers import DelayedSubmission

SLURM, LOCAL = "slurm", "local"


@dataclass(frozen=True, slots=True)
class SlurmFleet(Fleet):
    """Submit each group as a job that asks for its GPUs.

    `executor` local runs the jobs as processes of this machine, to try a submission out. Times are minutes,
    `signal_delay_s` is how long before its time is over, or on preemption, a job is warned: it then stops its
    engine and is queued again, `max_requeues` times where its time was over. A job that is lost otherwise
    (a killed process) is submitted again `max_restarts` times while the sweep is followed. `max_jobs` of an
    array run at once. `options` are further parameters of sbatch. Without `wait` the command ends once the
    jobs are queued. The nodes must have this environment and see the output folder by the same path.
    """

    executor: str = SLURM
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    time_min: int = 240
    cpus_per_job: int = 8
    memory_gb: int | None = None
    max_jobs: int = 256
    max_requeues: int = 10
    max_restarts: int = 2
    signal_delay_s: int = 120
    setup: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    wait: bool = True

    def __post_init__(self) -> None:
        checks.one_of("fleet.executor", self.executor, (SLURM, LOCAL))
        checks.one_of("fleet.wait", self.wait, (True, False))
        for name in ("time_min", "cpus_per_job", "max_jobs"):
            checks.whole_number(f"fleet.{name}", getattr(self, name), minimum=1)
        for name in ("max_requeues", "max_restarts", "signal_delay_s"):
            checks.whole_number(f"fleet.{name}", getattr(self, name), minimum=0)
        checks.optional_whole_number("fleet.memory_gb", self.memory_gb, minimum=1)
        if find_spec("submitit") is None:
            raise ValueError("fleet=slurm needs the package submitit: pip install -e .[slurm]")

    @property
    def is_followed(self) -> bool:
        """Whether the command waits for its jobs."""
        return self.wait

    def check(self, groups: Sequence[Group]) -> None:
        """Raise ValueError where there is no Slurm here; what a partition has, Slurm says at submission."""
        if self.executor == SLURM and shutil.which("sbatch") is None:
            raise ValueError("fleet=slurm needs sbatch, which is not here; allowed: fleet.executor=local")
        for group in groups:
            if group.spans_nodes:
                raise ValueError(
                    f"{group.name}: engine.distributed_executor_backend=ray needs fleet=ray, started on the "
                    "nodes of one job; fleet=slurm gives a group one node"
                )

    def run(self, groups: Sequence[Group], work: Work, *, folder: Path, say: Say) -> Reasons:
        """Submit a job a group, those with equally many GPUs as one array, and follow them if asked to."""
        by_gpus: dict[int, list[tuple[Group, Assignment]]] = {}
        for start in zip(groups, assignments(groups, work, folder), strict=True):
            by_gpus.setdefault(start[0].num_gpus, []).append(start)
        jobs: dict[Any, _Submitted] = {}
        with screen(groups, say) as shown:
            for num_gpus, starts in by_gpus.items():
                executor = self._executor(folder, num_gpus)
                with exported_path():
                    submitted = executor.map_array(_Resumable(), [assignment for _, assignment in starts])
                for job, (group, assignment) in zip(submitted, starts, strict=True):
                    shown.started(group, f"{self.executor} job {job.job_id}")
                    jobs[job] = _Submitted(group, assignment, executor)
            return self._follow(jobs, shown) if self.wait else {}

    def _follow(self, jobs: dict[Job[Reasons], _Submitted], shown: Screen) -> Reasons:
        reasons: dict[Path, str] = {}
        try:
            while jobs:
                time.sleep(REFRESH_S)
                for job in [job for job in jobs if job.done()]:
                    reasons |= self._ended(job, jobs, shown)
                shown.refresh()
        finally:
            for job in jobs:  # we are interrupted
                job.cancel(check=False)
        return reasons

    def _ended(self, job: Job[Reasons], jobs: dict[Job[Reasons], _Submitted], shown: Screen) -> Reasons:
        submitted = jobs.pop(job)
        error = job.exception()
        if error is None:
            shown.ended(submitted.group, "ended")
            result: Reasons = job.result()
            return result
        how = f"job {job.job_id}: {job.state}"
        shown.ended(submitted.group, f"lost ({how})")
        if submitted.number > self.max_restarts:
            return lost(submitted.group, num_starts=submitted.number, how=how, log=submitted.assignment.log)
        with exported_path():
            again = submitted.executor.submit(_Resumable(), submitted.assignment)
        shown.started(submitted.group, f"{self.executor} job {again.job_id}")
        jobs[again] = _Submitted(
            submitted.group, submitted.assignment, submitted.executor, submitted.number + 1
        )
        return {}

    def _executor(self, folder: Path, num_gpus: int) -> Executor:
        import submitit

        limit = {f"{self.executor}_max_num_timeout": self.max_requeues}
        executor = submitit.AutoExecutor(folder=folder / "%j", cluster=self.executor, **limit)
        executor.update_parameters(
            name="tts_eval",
            timeout_min=self.time_min,
            nodes=1,
            tasks_per_node=1,
            gpus_per_node=num_gpus,
            cpus_per_task=self.cpus_per_job,
            **({} if self.memory_gb is None else {"mem_gb": self.memory_gb}),
            **(self._slurm_parameters() if self.executor == SLURM else {}),
        )
        return executor

    def _slurm_parameters(self) -> dict[str, object]:
        given = {"partition": self.partition, "account": self.account, "qos": self.qos}
        parameters: dict[str, object] = {name: value for name, value in given.items() if value is not None}
        parameters |= {
            "array_parallelism": self.max_jobs,
            "signal_delay_s": self.signal_delay_s,
            "setup": list(self.setup),
            "additional_parameters": {"requeue": True, **self.options},  # after the loss of a node
        }
        return {f"slurm_{name}": value for name, value in parameters.items()}


@dataclass(frozen=True, slots=True)
class _Submitted:
    """A group that was submitted for the `number`-th time."""

    group: Group
    assignment: Assignment
    executor: Any
    number: int = 1


class _Resumable:
    """What a job calls; on preemption submitit asks for its checkpoint and queues it again."""

    def __call__(self, assignment: Assignment) -> Reasons:
        return assignment.run()

    def checkpoint(self, assignment: Assignment) -> DelayedSubmission:
        """Return the same call: what is in the folders is resumed."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, assignment)
