"""All plans of a node under one workload: what each yields, what binds it, and why others were rejected."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tts_eval.hardware import Hardware
from tts_eval.planning.capacity import GB
from tts_eval.planning.closed_forms import OperatingPoint, binding, operating_point
from tts_eval.planning.model import Node, PlannedModel
from tts_eval.planning.parallelism import Plan, plans
from tts_eval.planning.simulator import Simulated
from tts_eval.planning.workload import Job, Shape


@dataclass(frozen=True, slots=True)
class Band:
    """A figure in dollars at the low, the stated and the high price of a GPU hour; None is unknown."""

    low: float | None
    stated: float | None
    high: float | None

    @classmethod
    def of(cls, hardware: Hardware, gpu_hours: float) -> Band:
        """Return what `gpu_hours` cost."""

        def usd(price: float | None) -> float | None:
            return None if price is None else price * gpu_hours

        low, high = hardware.usd_per_gpu_hour_low, hardware.usd_per_gpu_hour_high
        return cls(usd(low), usd(hardware.usd_per_gpu_hour), usd(high))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one plan yields, all of it modelled; what only a simulation shows is None without one.

    Tokens, sequences and tokens a second are those of the whole node. `cliff_tokens` None: never.
    """

    plan: Plan
    weights_gb_per_gpu: float
    kv_tokens: float
    num_sequences_peak: int
    num_sequences_mean: float
    num_sequences: float
    cliff_tokens: float | None
    generated_tokens_per_s: float
    tpot_s: float
    binds: str
    usd_per_million_tokens: Band
    usd_per_problem: Band
    wall_s: float | None = None
    tta_p50_s: float | None = None
    tta_p99_s: float | None = None
    num_preemptions: int | None = None
    recomputed_share: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A plan that cannot be, and why."""

    plan: Plan
    reason: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """The plans of a node, best first, and those rejected."""

    outlooks: list[Outlook]
    refusals: list[Refusal]


def rank(
    node: Node,
    hardware: Hardware,
    jobs: list[Job],
    *,
    num_gpus: int,
    in_flight: int | None,
    rank_by: str,
    simulate: bool,
    say: Callable[[str], None] = lambda _: None,
) -> Ranking:
    """Return every plan of `num_gpus` under `jobs`, ordered by `rank_by`; `say` hears of each one done."""
    shape = Shape.of(jobs)
    outlooks, refusals = [], []
    for plan in plans(num_gpus, node.architecture):
        try:
            model = PlannedModel.on(node, plan)
            model.check_length(shape.final_tokens)
        except ValueError as error:
            refusals.append(Refusal(plan, str(error)))
            continue
        simulated = model.simulate(jobs, in_flight=in_flight) if simulate else None
        outlooks.append(outlook_of(model, hardware, jobs, shape, in_flight=in_flight, simulated=simulated))
        say(plan.name)
    best_is_most = rank_by == "generated_tokens_per_s"
    outlooks.sort(key=lambda o: rank_value(o, rank_by), reverse=best_is_most)
    return Ranking(outlooks, refusals)


def rank_value(outlook: Outlook, rank_by: str) -> float:
    """Return the figure that plans are ordered by; an unknown one comes last."""
    value = getattr(outlook, rank_by)
    if isinstance(value, Band):
        value = value.stated
    return math.inf if value is None else float(value)


def outlook_of(
    model: PlannedModel,
    hardware: Hardware,
    jobs: Sequence[Job],
    shape: Shape,
    *,
    in_flight: int | None,
    simulated: Simulated | None,
) -> Outlook:
    """Return the figures of one plan: throughput and dollars from the simulation where there is one."""
    point = operating_point(model, shape, in_flight=in_flight or len(jobs))
    tokens_per_s = simulated.generated_tokens_per_s if simulated else point.generated_tokens_per_s
    gpu_hours_per_token = model.plan.num_gpus / tokens_per_s / 3600
    tokens_per_problem = shape.calls_per_problem * shape.generated_tokens
    tta_s = np.array(simulated.tta_s) if simulated else None
    num_replicas = model.plan.num_engines
    return Outlook(
        plan=model.plan,
        weights_gb_per_gpu=model.capacity.weight_bytes / GB,
        kv_tokens=model.capacity.num_tokens(shape.final_tokens) * num_replicas,
        num_sequences_peak=point.num_sequences_peak,
        num_sequences_mean=point.num_sequences_mean,
        num_sequences=point.num_sequences,
        cliff_tokens=None if math.isinf(point.cliff_tokens) else point.cliff_tokens,
        generated_tokens_per_s=tokens_per_s,
        tpot_s=point.tpot_s,
        binds=_binding(point, simulated),
        usd_per_million_tokens=Band.of(hardware, 1e6 * gpu_hours_per_token),
        usd_per_problem=Band.of(hardware, tokens_per_problem * gpu_hours_per_token),
        wall_s=simulated.wall_s if simulated else None,
        tta_p50_s=None if tta_s is None else float(np.percentile(tta_s, 50)),
        tta_p99_s=None if tta_s is None else float(np.percentile(tta_s, 99)),
        num_preemptions=simulated.num_preemptions if simulated else None,
        recomputed_share=_recomputed_share(simulated),
    )


def _binding(point: OperatingPoint, simulated: Simulated | None) -> str:
    text = binding(point)
    if simulated and simulated.num_preemptions:
        share = _recomputed_share(simulated)
        assert share is not None
        text += f"; {share:.0%} recomputed"
    return text


def _recomputed_share(simulated: Simulated | None) -> float | None:
    """Tokens whose cache was thrown away and computed again, as a share of all that went through."""
    if simulated is None:
        return None
    through = simulated.num_prefilled_tokens + simulated.num_generated_tokens
    return simulated.num_recomputed_tokens / through
