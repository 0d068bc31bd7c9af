"""All plans of a node: the figures of the table, their order, and what published comparisons come to here."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from tests.planning.nodes import hardware_named, node_of, planned
from tts_eval.planning.capacity import Capacity
from tts_eval.planning.files import row_of
from tts_eval.planning.model import Node, PlannedModel
from tts_eval.planning.parallelism import Plan
from tts_eval.planning.ranking import Ranking, rank, rank_value
from tts_eval.planning.table import print_ranking
from tts_eval.planning.workload import Workload

# Reasoning chains on 8 H200: 45% of outputs beyond 5,000 tokens (arXiv 2605.19775); the cut is assumed.
CHAINS = Workload(
    num_problems=2000, prompt_tokens=100, reasoning_tokens=4500, length_sigma=0.9, max_tokens=8192
)


def ranked(node: Node, workload: Workload, **settings: Any) -> Ranking:
    chosen: dict[str, Any] = {"rank_by": "generated_tokens_per_s", "simulate": True, **settings}
    return rank(
        node, hardware_named("h200"), workload.jobs(), num_gpus=8, in_flight=workload.in_flight, **chosen
    )


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    return ranked(node_of("r1_distill_llama_70b"), replace(CHAINS, num_problems=700))


def test_every_plan_is_either_ranked_or_refused(ranking: Ranking) -> None:
    names = {o.plan.name for o in ranking.outlooks} | {r.plan.name for r in ranking.refusals}

    assert len(ranking.outlooks) + len(ranking.refusals) == len(names) == 10
    assert [refusal.plan for refusal in ranking.refusals] == [Plan(8, 1, 1)]
    rates = [outlook.generated_tokens_per_s for outlook in ranking.outlooks]
    assert rates == sorted(rates, reverse=True)


def test_dollars_are_gpus_times_time_times_price_with_their_band(ranking: Ranking) -> None:
    best = ranking.outlooks[0]
    assert best.wall_s is not None

    assert best.usd_per_problem.stated == pytest.approx(8 * best.wall_s / 3600 * 3.59 / 700)
    per_token = 8 * 3.59 / 3600 / best.generated_tokens_per_s
    assert best.usd_per_million_tokens.stated == pytest.approx(1e6 * per_token)
    assert best.usd_per_million_tokens.low == pytest.approx(1e6 * per_token * 2.5 / 3.59)
    assert best.usd_per_million_tokens.high == pytest.approx(1e6 * per_token * 7.0 / 3.59)


def test_the_table_says_what_binds_and_why_a_plan_was_refused(ranking: Ranking) -> None:
    console = Console(record=True, width=230, file=StringIO())
    print_ranking(ranking, title="a title", console=console)
    text = console.export_text()

    assert text.startswith("modelled; a title")
    assert "bandwidth (" in text
    assert "recomputed" in text
    assert "refused DP8: does not fit: 141.1 GB of weights" in text


def test_without_a_simulation_percentiles_are_unknown_and_not_zero() -> None:
    closed = ranked(node_of("r1_distill_llama_8b"), CHAINS, simulate=False, rank_by="usd_per_problem")

    for outlook in closed.outlooks:
        row = row_of(outlook)
        assert row["provenance"] == "modelled"
        assert row["tta_p50_s"] is row["tta_p99_s"] is row["num_preemptions"] is row["wall_s"] is None
        assert row["generated_tokens_per_s"] > 0
    costs = [rank_value(outlook, "usd_per_problem") for outlook in closed.outlooks]
    assert costs == sorted(costs)


def test_a_32b_model_loses_as_eight_replicas() -> None:
    """Published: DP4xTP2 484 s, TP8 686 s, DP8 857 s; that DP8 comes last is what is held to here."""
    node = node_of("r1_distill_qwen_32b")
    eight, pairs, one = (seconds(node, plan) for plan in (Plan(8, 1, 1), Plan(4, 2, 1), Plan(1, 8, 1)))

    assert 1.3 < eight / pairs < 1.8
    assert 1.2 < eight / one < 1.9


def test_a_405b_model_is_slow_as_a_pipeline() -> None:
    """Published: 7.6 times; here the direction and less than that."""
    node = node_of("llama_3_1_405b")
    workload = replace(CHAINS, num_problems=200)

    assert 3 < seconds(node, Plan(1, 1, 8), workload) / seconds(node, Plan(1, 8, 1), workload) < 7.6


def test_copies_of_latents_are_what_slows_a_671b_model_under_tensor_parallelism() -> None:
    """If eight GPUs shared the latents instead of each keeping all, TP8 would be twice as fast."""
    node = node_of("deepseek_r1")
    model = planned(node, tp=8)
    workload = replace(CHAINS, num_problems=1000)

    kept_once = sharing_latents(model, ways=8)
    as_it_is, ablated = (m.simulate(workload.jobs(), in_flight=None) for m in (model, kept_once))
    assert as_it_is.wall_s / ablated.wall_s > 1.8
    assert as_it_is.num_preemptions > 3 * ablated.num_preemptions


def sharing_latents(model: PlannedModel, *, ways: int) -> PlannedModel:
    """Return `model` with its cache divided between the GPUs of a replica, which no engine does."""
    shard = replace(model.capacity.shard, token_bytes=model.capacity.shard.token_bytes / ways)
    capacity: Capacity = replace(model.capacity, shard=shard)
    step_model = replace(model.step_model, stages=[shard])
    return replace(model, capacity=capacity, step_model=step_model)


def test_attention_for_each_replica_beats_both_published_plans_of_a_671b_model() -> None:
    node, workload = node_of("deepseek_r1"), replace(CHAINS, num_problems=1000)

    spread = seconds(node, Plan(8, 1, 1, 8), workload)
    assert spread < 0.6 * seconds(node, Plan(1, 8, 1), workload)
    assert spread < 0.6 * seconds(node, Plan(1, 2, 4), workload)


def seconds(node: Node, plan: Plan, workload: Workload = CHAINS) -> float:
    return PlannedModel.on(node, plan).simulate(workload.jobs(), in_flight=None).wall_s
