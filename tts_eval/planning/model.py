"""A model on one plan's GPUs: its three layers put together.

Raises ValueError, in words that the list of rejected plans repeats, where it cannot run.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.measuring.architecture import Architecture
from tts_eval.planning.capacity import Capacity, Memory, capacity_of
from tts_eval.planning.parallelism import Plan, why_invalid
from tts_eval.planning.precision import Precision
from tts_eval.planning.replica import Replica
from tts_eval.planning.serving import Serving
from tts_eval.planning.shard import shards
from tts_eval.planning.simulator import Simulated, simulate
from tts_eval.planning.step_time import StepModel
from tts_eval.planning.timings import Timings
from tts_eval.planning.workload import Job


@dataclass(frozen=True, slots=True)
class Node:
    """What every plan of a node shares: the model's sizes and formats, the GPU's memory and speeds."""

    architecture: Architecture
    precision: Precision
    kv_bytes: float
    memory: Memory
    timings: Timings
    serving: Serving
    has_graphs: bool = True


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """One engine of a plan (all of them are alike), ready to be asked or simulated."""

    plan: Plan
    capacity: Capacity
    step_model: StepModel
    serving: Serving

    @classmethod
    def on(cls, node: Node, plan: Plan) -> PlannedModel:
        """Lay the node's model out as `plan` says."""
        reason = why_invalid(plan, node.architecture)
        if reason is not None:
            raise ValueError(reason)
        stages = shards(node.architecture, plan, node.precision, kv_bytes=node.kv_bytes)
        capacity = capacity_of(stages, plan, node.memory)
        step_model = StepModel(node.architecture, plan, node.precision, stages, node.timings, node.has_graphs)
        return cls(plan, capacity, step_model, node.serving)

    def check_length(self, num_tokens: int) -> None:
        """Reject a workload of which the longest sequence does not fit alone."""
        if self.capacity.num_whole_sequences(num_tokens + 1) < 1:
            raise ValueError(
                f"no room for one sequence of {num_tokens:,} tokens: the KV cache holds "
                f"{self.capacity.num_tokens(num_tokens):,.0f}"
            )

    def simulate(self, jobs: list[Job], *, in_flight: int | None) -> Simulated:
        """Play `jobs` through all replicas of the plan."""
        return simulate(
            jobs,
            lambda: Replica(self.step_model, self.capacity, self.serving),
            num_engines=self.plan.num_engines,
            in_flight=in_flight,
        )
