"""A Ray cluster, or a Ray of this machine alone: each group is a task that asks for its GPUs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
from tts_eval.fleet.process import gpu_names
from tts_eval.fleet.screen import REFRESH_S, screen

GPU, CPU = "GPU", "CPU"


@dataclass(frozen=True, slots=True)
class RayFleet(Fleet):
    """Run each group as a Ray task.

    `address` is a cluster to join (HOST:PORT, or auto); null starts a Ray on this machine and stops it
    afterwards, with `num_cpus` and `num_gpus` in name (null: what is there). `num_cpus_per_engine` are asked
    for beside the GPUs. A group whose worker or node is lost is started again `max_restarts` times, wherever
    there is room. An engine with `engine.distributed_executor_backend=ray` may hold GPUs of several nodes.
    The cluster's nodes must have this environment and see the output folder by the same path.
    """

    address: str | None = None
    num_cpus: int | None = None
    num_gpus: int | None = None
    num_cpus_per_engine: float = 1
    max_restarts: int = 2

    def __post_init__(self) -> None:
        checks.optional_whole_number("fleet.num_cpus", self.num_cpus, minimum=1)
        checks.optional_whole_number("fleet.num_gpus", self.num_gpus, minimum=0)
        checks.number("fleet.num_cpus_per_engine", self.num_cpus_per_engine, minimum=0)
        checks.whole_number("fleet.max_restarts", self.max_restarts, minimum=0)
        if self.address is not None and (self.num_cpus, self.num_gpus) != (None, None):
            raise ValueError(
                "fleet.num_cpus and fleet.num_gpus are those of a Ray of this machine, and a cluster has its "
                "own: give them or fleet.address"
            )
        if find_spec("ray") is None:
            raise ValueError("fleet=ray needs the package ray: pip install -e .[ray]")

    def check(self, groups: Sequence[Group]) -> None:
        """Raise ValueError where a group asks for more than any node has, or than all nodes together."""
        nodes = self._nodes()
        if not nodes:
            raise ValueError(f"fleet.address={self.address}: the cluster has no node that is alive")
        for group in groups:
            held = [int(node.get(GPU, 0)) for node in nodes]
            most, where = (sum(held), "the cluster") if group.spans_nodes else (max(held), "its largest node")
            if group.num_gpus > most:
                over = "; over several nodes: engine.distributed_executor_backend=ray"
                hint = "" if group.spans_nodes else over
                raise ValueError(
                    f"{group.name}: its engine holds {group.num_gpus} GPUs, but {where} has {most} on "
                    f"fleet=ray; allowed: at most {most}{hint}"
                )
            if self.num_cpus_per_engine > max(node.get(CPU, 0) for node in nodes):
                raise ValueError(
                    f"fleet.num_cpus_per_engine={self.num_cpus_per_engine:g} is more than any node has"
                )

    def run(self, groups: Sequence[Group], work: Work, *, folder: Path, say: Say) -> Reasons:
        """Queue a task a group; Ray places each as its GPUs come free, and restarts what is lost."""
        import ray

        self._connect()
        try:
            return self._follow(list(zip(groups, assignments(groups, work, folder), strict=True)), say)
        finally:
            ray.shutdown()

    def _follow(self, starts: Sequence[tuple[Group, Assignment]], say: Say) -> Reasons:
        import ray

        reasons: dict[Path, str] = {}
        with screen([group for group, _ in starts], say) as shown:
            running = {}
            for group, assignment in starts:
                shown.started(group, "Ray")
                running[self._queued(group, assignment)] = group, assignment
            while running:
                done, _ = ray.wait(list(running), timeout=REFRESH_S)
                for task in done:
                    group, assignment = running.pop(task)
                    try:
                        reasons |= ray.get(task)
                        shown.ended(group, "ended")
                    except ray.exceptions.RayError as error:
                        how = type(error).__name__
                        shown.ended(group, f"lost ({how})")
                        num_starts = 1 + self.max_restarts
                        reasons |= lost(group, num_starts=num_starts, how=how, log=assignment.log)
                shown.refresh()
        return reasons

    def _queued(self, group: Group, assignment: Assignment) -> Any:
        """Queue `group`, and return what its worker's result is waited for by."""
        import ray

        asked = {"num_cpus": self.num_cpus_per_engine, "num_gpus": group.num_gpus}
        if not group.spans_nodes:
            task = ray.remote(max_retries=self.max_restarts, max_calls=1, **asked)(_run)  # a process each
            return task.remote(assignment)
        restarts = {"max_restarts": self.max_restarts, "max_task_retries": self.max_restarts}
        actor = ray.remote(num_gpus=0, num_cpus=1, scheduling_strategy=_spread(group), **restarts)(_Actor)
        return actor.remote().run.remote(assignment)

    def _nodes(self) -> list[Mapping[str, float]]:
        """Return what each node has: this machine alone where no cluster is joined."""
        if self.address is None:
            num_gpus = len(gpu_names()) if self.num_gpus is None else self.num_gpus
            return [{CPU: self.num_cpus or len(os.sched_getaffinity(0)), GPU: num_gpus}]
        import ray

        self._connect()
        return [node["Resources"] for node in ray.nodes() if node["Alive"]]

    def _connect(self) -> None:
        """Join the cluster or start a Ray of this machine, unless that was done before."""
        import ray

        if ray.is_initialized():
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        if self.address is None:
            [node] = self._nodes()
            quiet |= {"num_cpus": node[CPU], "num_gpus": node[GPU], "include_dashboard": False}
        try:
            with exported_path():
                ray.init(address=self.address or "local", **quiet)
        except (ConnectionError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"fleet.address={self.address}: no Ray cluster answers ({reason})") from error


def _spread(group: Group) -> Any:
    """Return where an engine of several nodes goes: a GPU a bundle, as vLLM's executor asks for them."""
    from ray.util.placement_group import placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    bundles = [{CPU: 1.0, GPU: 1.0}] * group.num_gpus
    return PlacementGroupSchedulingStrategy(
        placement_group(bundles, strategy="PACK"),
        placement_group_bundle_index=0,
        placement_group_capture_child_tasks=True,
    )


def _run(assignment: Assignment) -> Reasons:
    return assignment.run()


class _Actor:
    """A worker as an actor: only in one does vLLM's executor take the placement group that it is in."""

    def run(self, assignment: Assignment) -> Reasons:
        return assignment.run()
