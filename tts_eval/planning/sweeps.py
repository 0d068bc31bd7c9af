"""Plans over a range: chain lengths, model sizes, tensor-parallel degrees, GPUs. Rows of modelled figures.

What a single workload cannot show is read from these: where the cliff is, and where one plan overtakes
another.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import OmegaConf

from tts_eval.hardware import Hardware
from tts_eval.options import option_names, options
from tts_eval.planning.closed_forms import operating_point, single_stream_speed_up
from tts_eval.planning.files import Row
from tts_eval.planning.model import Node, PlannedModel
from tts_eval.planning.parallelism import Plan, plans
from tts_eval.planning.plan_settings import PlanSettings
from tts_eval.planning.ranking import rank
from tts_eval.planning.timings import Timings
from tts_eval.planning.workload import Shape

LENGTHS = (0.125, 0.25, 0.5, 1, 2, 4, 8)  # of the workload's reasoning tokens
DEGREES = (1, 2, 4, 8)
MAX_PLANS = 5  # that are drawn


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model whose sizes are in `conf/model`."""

    name: str
    config: Mapping[str, Any]


def known_models() -> list[KnownModel]:
    """Return the models that can be planned without network, in the order of their names."""
    models: Any = (
        OmegaConf.to_container(model) for model in options("model", option_names("model")).values()
    )
    return [KnownModel(model["name"], model["config_json"]) for model in models if model.get("config_json")]


def over_lengths(settings: PlanSettings, node: Node, hardware: Hardware) -> list[Row]:
    """Return what the best plans of the workload yield when its chains are shorter or longer."""
    rows: list[Row] = []
    names: list[str] = []
    by_distance = sorted(LENGTHS, key=lambda factor: abs(factor - 1))
    for factor in by_distance:
        length = max(settings.workload.rounds, round(settings.workload.reasoning_tokens * factor))
        workload = replace(settings.workload, reasoning_tokens=length)
        ranking = rank(
            node,
            hardware,
            workload.jobs(),
            num_gpus=settings.num_gpus,
            in_flight=workload.in_flight,
            rank_by=settings.rank_by,
            simulate=settings.simulate,
        )
        names = names or [outlook.plan.name for outlook in ranking.outlooks[:MAX_PLANS]]
        rows += [
            {
                "provenance": "modelled",
                "plan": outlook.plan.name,
                "reasoning_tokens": length,
                "generated_tokens_per_s": outlook.generated_tokens_per_s,
                "tta_p50_s": outlook.tta_p50_s,
                "tta_p99_s": outlook.tta_p99_s,
                "num_preemptions": outlook.num_preemptions,
                "cliff_tokens": outlook.cliff_tokens,
            }
            for outlook in ranking.outlooks
            if outlook.plan.name in names
        ]
    return sorted(rows, key=lambda row: (names.index(row["plan"]), row["reasoning_tokens"]))


def over_degrees(node: Node, *, context: float) -> list[Row]:
    """Return how a single stream gains from tensor parallelism, in CUDA graphs and with eager launches."""
    rows: list[Row] = []
    for has_graphs in (True, False):
        there = replace(node, has_graphs=has_graphs)
        models: dict[int, PlannedModel] = {}
        for degree in DEGREES:
            try:
                models[degree] = PlannedModel.on(there, Plan(1, degree, 1))
            except ValueError:
                continue
        if not models:
            continue
        least = min(models)
        rows += [
            {
                "provenance": "modelled",
                "launches": "CUDA graphs" if has_graphs else "eager",
                "tensor_parallel_size": degree,
                "baseline": least,
                "speed_up": single_stream_speed_up(model, models[least], context=context),
            }
            for degree, model in models.items()
        ]
    return rows


def over_models(settings: PlanSettings, hardware: Hardware, timings: Timings) -> list[Row]:
    """Return every known model on 1, 2, 4, 8 GPUs: its best plan by closed forms, and what that holds.

    Each keeps its checkpoint's format. A model that no plan fits has no row for that many GPUs.
    """
    shape = Shape.of(settings.workload.jobs())
    in_flight = settings.workload.in_flight or settings.workload.num_problems
    rows: list[Row] = []
    for known in known_models():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a family read by its fields was warned of when it was planned
            node = replace(settings, weights=None).node(known.config, hardware, timings=timings)
        for num_gpus in DEGREES:
            row = _best(node, num_gpus, shape, in_flight)
            if row:
                rows.append({"provenance": "modelled", "model": known.name, "num_gpus": num_gpus, **row})
    return rows


def _best(node: Node, num_gpus: int, shape: Shape, in_flight: int) -> Row:
    """Return the plan with the highest throughput as part of a row; empty where none fits."""
    best: Row = {}
    for plan in plans(num_gpus, node.architecture):
        try:
            model = PlannedModel.on(node, plan)
            model.check_length(shape.final_tokens)
        except ValueError:
            continue
        point = operating_point(model, shape, in_flight=in_flight)
        if not best or point.generated_tokens_per_s > best["generated_tokens_per_s"]:
            best = {
                "num_parameters": node.architecture.num_parameters,
                "plan": plan.name,
                "generated_tokens_per_s": point.generated_tokens_per_s,
                "num_sequences_peak": point.num_sequences_peak,
                "kv_tokens": model.capacity.num_tokens(shape.final_tokens) * plan.num_engines,
            }
    return best
