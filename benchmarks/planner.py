"""The planner against the clock, and against published results: ratios of plans, holding and failing alike.

Lengths of the published runs are not known beyond "45% of outputs have over 5,000 tokens", so each ratio is
given as a range over four cuts and spreads that agree with it, and two seeds. Run it as `python -m
benchmarks.planner`; nothing in it is fitted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from hydra.utils import instantiate
from rich.console import Console
from rich.table import Table

from tts_eval.options import option
from tts_eval.planning.closed_forms import operating_point, single_stream_speed_up
from tts_eval.planning.model import Node, PlannedModel
from tts_eval.planning.parallelism import Plan
from tts_eval.planning.plan_settings import PlanSettings, config_of
from tts_eval.planning.ranking import rank
from tts_eval.planning.workload import Shape, Workload

SETTINGS = PlanSettings()
CUTS = ((4500, 6144), (4500, 8192), (4500, 16_384), (4000, 6144))  # median, longest; sigma 0.9
SEEDS = (0, 1)


@dataclass(frozen=True)
class Claim:
    """A published ratio and what it comes to here, over all workloads that agree with what was published."""

    what: str
    published: str
    ours: list[float]
    verdict: Callable[[float], bool]

    def row(self) -> tuple[str, str, str, str]:
        low, high = min(self.ours), max(self.ours)
        held = [self.verdict(value) for value in self.ours]
        word = "holds" if all(held) else "open" if any(held) else "fails"
        if not self.published:
            word = ""
        return self.what, self.published, f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}", word


def configured(group: str, name: str) -> Any:
    return instantiate(option(group, name), _convert_="all")


def node_of(model: str, hardware: str = "h200", **settings: Any) -> Node:
    config = config_of(configured("model", model))
    return replace(SETTINGS, **settings).node(config, configured("hardware", hardware), timings=None)


def workloads(num_problems: int) -> Iterator[Workload]:
    """Yield the workloads that agree with what is published of the lengths."""
    for median, longest in CUTS:
        for seed in SEEDS:
            yield Workload(
                num_problems=num_problems,
                prompt_tokens=100,
                reasoning_tokens=median,
                length_sigma=0.9,
                max_tokens=longest,
                seed=seed,
            )


def seconds(node: Node, plan: Plan, num_problems: int) -> list[float]:
    return simulated(PlannedModel.on(node, plan), num_problems)


def simulated(model: PlannedModel, num_problems: int) -> list[float]:
    return [model.simulate(w.jobs(), in_flight=None).wall_s for w in workloads(num_problems)]


def sharing_cache(model: PlannedModel) -> PlannedModel:
    """Return `model` with its latents divided between the GPUs of a replica, which no engine does."""
    shard = replace(model.capacity.shard, token_bytes=model.capacity.shard.token_bytes / model.plan.tp)
    capacity = replace(model.capacity, shard=shard)
    return replace(model, capacity=capacity, step_model=replace(model.step_model, stages=[shard]))


def cut_evenly(model: PlannedModel) -> PlannedModel:
    """Return `model` with pipeline stages that are all alike, in fractions of layers."""
    stages, capacity = model.step_model.stages, model.capacity
    sums: dict[str, Any] = {
        field.name: sum(getattr(stage, field.name) for stage in stages) / len(stages)
        for field in fields(stages[0])
        if field.name not in ("windows", "token_bytes")
    }
    sums["windows"] = {None: model.step_model.architecture.num_layers / len(stages)}
    mean = replace(stages[0], **sums)
    room = capacity.cache_bytes + capacity.shard.weight_bytes - mean.weight_bytes
    return replace(
        model,
        capacity=replace(capacity, shard=mean, cache_bytes=room, weight_bytes=mean.weight_bytes),
        step_model=replace(model.step_model, stages=[mean] * len(stages)),
    )


def ratios(slow: list[float], fast: list[float]) -> list[float]:
    return [a / b for a, b in zip(slow, fast, strict=True)]


def inference_scaling() -> Iterator[Claim]:
    """Yield the claims of Arif et al. (arXiv 2605.19775) on eight H200."""
    node = node_of("r1_distill_qwen_32b")
    dp8, pairs, tp8 = (seconds(node, plan, 2000) for plan in (Plan(8, 1, 1), Plan(4, 2, 1), Plan(1, 8, 1)))
    yield Claim("32B: DP8 slower than DP4xTP2", "1.77", ratios(dp8, pairs), lambda r: r > 1.1)
    yield Claim("32B: DP8 slower than TP8", "1.25", ratios(dp8, tp8), lambda r: r > 1.1)
    yield Claim("32B: TP8 slower than DP4xTP2", "1.42", ratios(tp8, pairs), lambda r: r > 1.1)
    node = node_of("r1_distill_qwen_14b")
    dp8, mixed = (seconds(node, plan, 2000) for plan in (Plan(8, 1, 1), Plan(1, 4, 2)))
    yield Claim("14B: PP2xTP4 slower than DP8", "3.5", ratios(mixed, dp8), lambda r: r > 1.1)
    node = node_of("llama_3_1_405b")
    pp8, tp8 = (seconds(node, plan, 500) for plan in (Plan(1, 1, 8), Plan(1, 8, 1)))
    yield Claim("405B: PP8 slower than TP8", "7.6", ratios(pp8, tp8), lambda r: r > 1.1)
    node = node_of("deepseek_r1")
    tp8, mixed = (seconds(node, plan, 2000) for plan in (Plan(1, 8, 1), Plan(1, 2, 4)))
    yield Claim("R1 671B: TP8 slower than PP4xTP2", "1.23", ratios(tp8, mixed), lambda r: r > 1.05)
    even = simulated(cut_evenly(PlannedModel.on(node, Plan(1, 2, 4))), 2000)
    yield Claim("  ablation: stages cut evenly", "", ratios(tp8, even), lambda r: r > 1.05)
    shared = simulated(sharing_cache(PlannedModel.on(node, Plan(1, 8, 1))), 2000)
    yield Claim("  ablation: TP8 over TP8 with latents shared", "", ratios(tp8, shared), lambda r: r > 1.1)
    spread = seconds(node, Plan(8, 1, 1, 8), 2000)
    yield Claim("R1 671B: TP8 slower than DP8xEP8", "not tried", ratios(tp8, spread), lambda r: r > 1.1)
    node = node_of("r1_distill_llama_8b")
    few, many = (seconds(node, Plan(8, 1, 1), n) for n in (500, 5000))
    yield Claim("8B DP8: 5,000 requests over 500", "2.7", ratios(many, few), lambda r: 2.2 < r < 3.3)


def tensor_parallel() -> Iterator[Claim]:
    """Yield the claims of Zhao et al. (arXiv 2509.19645): one sequence on four GPUs of one node."""
    for hardware in ("h200", "gh200"):
        for cuda_graphs in (True, False):
            where = f"{hardware}, {'CUDA graphs' if cuda_graphs else 'eager'}"
            for model, published, verdict in (
                ("r1_distill_qwen_14b", "1.7", lambda r: 1.5 < r < 1.9),
                ("r1_distill_qwen_1_5b", "below 1", lambda r: r < 1),
            ):
                node = node_of(model, hardware, cuda_graphs=cuda_graphs)
                one, four = (PlannedModel.on(node, Plan(1, tp, 1)) for tp in (1, 4))
                speed_up = single_stream_speed_up(four, one, context=2000)
                yield Claim(f"{model} TP4 speed-up ({where})", published, [speed_up], verdict)


def past_the_capacity() -> Iterator[Claim]:
    """Yield what 256 sequences of a 70B model lose when their mean context doubles to 2,000 tokens."""
    node = node_of("r1_distill_llama_70b", max_num_seqs=256)
    for tp in (2, 4):
        model = PlannedModel.on(node, Plan(8 // tp, tp, 1))
        rates = []
        for context in (1000, 2000):
            shape = Shape.of(Workload(num_problems=1, prompt_tokens=1, reasoning_tokens=2 * context).jobs())
            rates.append(operating_point(model, shape, in_flight=10_000).generated_tokens_per_s)
        what = f"70B TP{tp}, 256 sequences: throughput at 2,000 over 1,000 tokens"
        verdict = (lambda r: r < 0.65) if tp == 2 else (lambda r: r > 0.65)
        yield Claim(what, "about 0.6" if tp == 2 else "reclaimed", [rates[1] / rates[0]], verdict)


def timed() -> None:
    """Print how long the planner itself takes on this machine."""
    workload = Workload(num_problems=5000, reasoning_tokens=4500, length_sigma=0.9, max_tokens=8192)
    jobs = workload.jobs()
    for model in ("r1_distill_qwen_32b", "deepseek_r1"):
        node, hardware = node_of(model), configured("hardware", "h200")
        began_s = time.process_time()
        rank(
            node,
            hardware,
            jobs,
            num_gpus=8,
            in_flight=None,
            rank_by="generated_tokens_per_s",
            simulate=False,
        )
        print(f"{model}: all plans in closed form {time.process_time() - began_s:.3f} CPU s")
    for model, plan in (("r1_distill_qwen_32b", Plan(8, 1, 1)), ("r1_distill_qwen_32b", Plan(1, 8, 1))):
        planned = PlannedModel.on(node_of(model), plan)
        began_s = time.process_time()
        planned.simulate(jobs, in_flight=None)
        spent_s = time.process_time() - began_s
        print(f"{model}: 5,000 requests on 8 GPUs as {plan.name} simulated in {spent_s:.1f} CPU s")


def main() -> int:
    """Print times and claims."""
    timed()
    table = Table(title="modelled on H200 unless said", title_justify="left", title_style="")
    for heading in ("ratio of times, unless said", "published", "ours", ""):
        table.add_column(heading)
    for claims in (inference_scaling, tensor_parallel, past_the_capacity):
        for claim in claims():
            table.add_row(*claim.row())
    Console(width=120).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
