"""Which plans there are, and which an engine would refuse."""

from __future__ import annotations

import pytest

from tests.planning.nodes import architecture_of
from tts_eval.planning.parallelism import Plan, plans, stage_layers, why_invalid


def test_a_dense_model_on_eight_gpus_has_ten_plans() -> None:
    found = list(plans(8, architecture_of("r1_distill_qwen_32b")))

    assert len(found) == len(set(found)) == 10
    assert {plan.num_gpus for plan in found} == {8}
    assert {plan.ep for plan in found} == {1}


def test_a_mixture_of_experts_can_also_spread_its_experts_over_all_replicas() -> None:
    found = set(plans(4, architecture_of("deepseek_r1")))

    assert Plan(4, 1, 1, 4) in found
    assert Plan(2, 2, 1, 4) in found
    assert Plan(1, 1, 4) in found  # a pipeline of single GPUs has nothing to spread them over
    assert Plan(1, 1, 4, 1) in found and all(plan.ep in (1, plan.dp * plan.tp) for plan in found)


@pytest.mark.parametrize(
    ("model", "plan", "reason"),
    [
        ("r1_distill_qwen_1_5b", Plan(1, 8, 1), "TP8 does not divide 12 attention heads"),
        ("r1_distill_qwen_7b", Plan(1, 8, 1), "TP8 does not divide 28 attention heads"),
        ("r1_distill_qwen_1_5b", Plan(1, 3, 1), "TP3 neither divides 2 KV heads nor is a multiple of them"),
        ("pocket", Plan(1, 1, 8), "PP8 is more than 4 layers"),
        ("gpt_oss_20b", Plan(8, 8, 1, 64), "EP64 is more than 32 experts"),
        ("qwen3_30b_a3b", Plan(1, 32, 1), None),
    ],
)
def test_what_does_not_divide_is_refused(model: str, plan: Plan, reason: str | None) -> None:
    assert why_invalid(plan, architecture_of(model)) == reason


def test_more_gpus_than_kv_heads_is_allowed_since_heads_are_replicated() -> None:
    assert why_invalid(Plan(1, 4, 1), architecture_of("r1_distill_qwen_1_5b")) is None


@pytest.mark.parametrize(
    ("num_layers", "num_stages", "sizes"),
    [(64, 4, [16, 16, 16, 16]), (61, 4, [15, 15, 16, 15]), (61, 8, [7, 7, 8, 8, 8, 8, 8, 7]), (5, 1, [5])],
)
def test_layers_are_divided_as_vllm_divides_them(num_layers: int, num_stages: int, sizes: list[int]) -> None:
    """What `vllm.distributed.utils.get_pp_indices` gives."""
    stages = stage_layers(num_layers, num_stages)

    assert [len(stage) for stage in stages] == sizes
    assert [layer for stage in stages for layer in stage] == list(range(num_layers))


@pytest.mark.parametrize(
    ("plan", "name", "num_engines"),
    [
        (Plan(1, 1, 1), "1 GPU", 1),
        (Plan(4, 2, 1), "DP4xTP2", 4),
        (Plan(8, 1, 1, 8), "DP8xEP8", 1),  # coupled by their experts
        (Plan(1, 8, 1, 8), "TP8xEP8", 1),
    ],
)
def test_names_and_engines(plan: Plan, name: str, num_engines: int) -> None:
    assert (plan.name, plan.num_engines) == (name, num_engines)
