"""Weights and KV cache on the GPUs of a plan: figures of published models, and what must hold for all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.planning.nodes import architecture_of, model_named, node_of, planned
from tts_eval.planning.capacity import Capacity
from tts_eval.planning.parallelism import Plan, plans, why_invalid
from tts_eval.planning.plan_settings import config_of
from tts_eval.planning.precision import FORMATS, format_of
from tts_eval.planning.shard import shards

TABLE = {  # billions of parameters, bytes of KV cache a token in 16 bits: models' cards and configurations
    "r1_distill_qwen_1_5b": (1.777, 28672),
    "r1_distill_qwen_7b": (7.616, 57344),
    "r1_distill_qwen_14b": (14.770, 196608),
    "r1_distill_qwen_32b": (32.764, 262144),
    "r1_distill_llama_8b": (8.030, 131072),
    "r1_distill_llama_70b": (70.554, 327680),
    "llama_3_1_405b": (405.853, 516096),
    "s1_1_1_5b": (1.544, 28672),
    "s1_1_32b": (32.764, 262144),
    "qwen3_0_6b": (0.596, 114688),
    "qwen3_1_7b": (1.721, 114688),
    "qwen3_4b": (4.022, 147456),
    "qwen3_8b": (8.191, 147456),
    "qwen3_14b": (14.768, 163840),
    "qwen3_32b": (32.762, 262144),
    "qwen3_30b_a3b": (30.53, 98304),
    "qwen3_235b_a22b": (235.1, 192512),
    "gpt_oss_20b": (20.91, 49152),
    "gpt_oss_120b": (116.83, 73728),
    "deepseek_r1": (671.0, 70272),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_model_is_planned_from_conf_alone(name: str) -> None:
    billions, kv_bytes = TABLE[name]
    architecture = architecture_of(name)

    assert architecture.num_parameters / 1e9 == pytest.approx(billions, rel=0.001)
    assert architecture.kv_bytes_per_token(2) == kv_bytes
    [shard] = shards(architecture, Plan(1, 1, 1), FORMATS["bf16"], kv_bytes=2)
    assert shard.kv_bytes(1) == kv_bytes
    assert shard.weight_bytes == pytest.approx(2 * architecture.num_parameters, rel=0.001)


@pytest.mark.parametrize(
    ("length", "sequences"), [(22_200, 6.19), (2_200, 62.4)], ids=["long chains", "short chains"]
)
def test_45_gb_of_cache_hold_six_long_chains_of_a_70b_model_or_sixty_short_ones(
    length: int, sequences: float
) -> None:
    """An A100 with 80 GB and 35 GB of weights, nothing else taken off."""
    [shard] = shards(architecture_of("r1_distill_llama_70b"), Plan(1, 1, 1), FORMATS["int4"], kv_bytes=2)
    capacity = Capacity(shard, 80e9 - 35e9, 35e9, block_size=16, num_copies=1)

    assert capacity.num_sequences(length) == pytest.approx(sequences, abs=0.05)
    assert capacity.longest(sequences) == pytest.approx(length, rel=0.001)


@pytest.mark.parametrize(("dp", "tp", "millions"), [(8, 1, 1.77), (4, 2, 2.77), (2, 4, 3.27), (1, 8, 3.52)])
def test_kv_tokens_of_a_32b_model_over_eight_h200(dp: int, tp: int, millions: float) -> None:
    model = planned(node_of("r1_distill_qwen_32b"), dp=dp, tp=tp)

    assert dp * model.capacity.num_tokens() / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize(("tp", "length"), [(2, 1260), (4, 4202)])
def test_where_256_sequences_of_a_70b_model_fill_the_cache(tp: int, length: int) -> None:
    """H200, bf16; the mean context at 256 sequences, not a chain's length."""
    model = planned(node_of("r1_distill_llama_70b"), dp=8 // tp, tp=tp)

    assert model.capacity.longest(256) == pytest.approx(length, rel=0.002)


def test_latent_attention_is_copied_to_every_tensor_parallel_gpu() -> None:
    """Eight H200: DeepSeek-R1 has several times the cache as a pipeline. Uneven stages cost it some of it."""
    node = node_of("deepseek_r1")
    tokens = {name: planned(node, tp=tp, pp=pp).capacity.num_tokens() / 1e6 for name, tp, pp in MLA_PLANS}

    assert tokens["TP8"] == pytest.approx(0.55, abs=0.02)
    assert tokens["TP4xPP2"] / tokens["TP8"] == pytest.approx(2, rel=0.1)
    assert 3 < tokens["TP2xPP4"] / tokens["TP8"] < 4


MLA_PLANS = (("TP8", 8, 1), ("TP4xPP2", 4, 2), ("TP2xPP4", 2, 4))


def test_attention_for_each_replica_keeps_the_latents_once() -> None:
    """Data-parallel attention: eight caches instead of one, less the room for what is then copied eightfold.

    That is attention, the three dense layers, the shared experts and both embeddings.
    """
    node = node_of("deepseek_r1")
    shared, copied = planned(node, dp=8, ep=8).capacity, planned(node, tp=8).capacity

    assert shared.num_copies == 8
    assert shared.weight_bytes - copied.weight_bytes == pytest.approx(15.7e9, rel=0.01)
    assert shared.num_tokens() / copied.num_tokens() == pytest.approx(4.7, abs=0.1)


def test_kv_heads_are_replicated_where_there_are_more_gpus() -> None:
    """R1-Distill-Qwen-1.5B has two KV heads: on four GPUs each still holds one."""
    architecture = architecture_of("r1_distill_qwen_1_5b")
    tokens = [
        shards(architecture, Plan(1, tp, 1), FORMATS["bf16"], kv_bytes=2)[0].kv_bytes(1) for tp in (1, 2, 4)
    ]

    assert tokens == [28672, 14336, 14336]


@pytest.mark.parametrize("name", ["r1_distill_llama_70b", "qwen3_30b_a3b", "gpt_oss_20b", "deepseek_r1"])
def test_shards_of_all_plans_add_up_to_the_model(name: str) -> None:
    """Nothing is lost; more than the model is held only where something is replicated."""
    architecture = architecture_of(name)
    whole = 2 * architecture.num_parameters
    for plan in plans(8, architecture):
        if why_invalid(plan, architecture) is None and plan.dp == 1:
            stages = shards(architecture, plan, FORMATS["bf16"], kv_bytes=2)
            held = plan.tp * sum(shard.weight_bytes for shard in stages)
            assert 0.999 * whole < held < 1.02 * whole, plan


def test_beyond_the_window_only_full_layers_grow() -> None:
    """gpt-oss-20b keeps 128 tokens in half of its layers."""
    model = planned(node_of("gpt_oss_20b"))
    per_token = 24576

    assert model.capacity.shard.kv_bytes(1128) - model.capacity.shard.kv_bytes(128) == 1000 * per_token
    length = model.capacity.longest(100)
    assert 100 * model.capacity.shard.kv_bytes(length) == pytest.approx(model.capacity.cache_bytes)


def test_sequences_take_whole_blocks() -> None:
    node = replace(node_of("r1_distill_llama_8b"), kv_bytes=1)
    capacity = Capacity(planned(node).capacity.shard, 10 * 32 * node.architecture.cache_size * 32, 0, 32, 1)

    assert capacity.num_sequences(33) == pytest.approx(10 * 32 / 33)
    assert capacity.num_whole_sequences(32) == 10
    assert capacity.num_whole_sequences(33) == 5


def test_what_does_not_fit_is_told_with_its_size() -> None:
    """70B in 16 bits on one H200, as a paper's retelling would have it."""
    with pytest.raises(
        ValueError, match=r"does not fit: 141\.1 GB of weights on a GPU with 141 GB, of which"
    ):
        planned(node_of("r1_distill_llama_70b"))
    assert planned(node_of("r1_distill_llama_70b", weights="fp8")).capacity.weight_bytes < 75e9


def test_a_sequence_too_long_for_the_cache_is_refused() -> None:
    model = planned(node_of("deepseek_r1"), tp=8)

    with pytest.raises(ValueError, match="no room for one sequence of 600,000 tokens"):
        model.check_length(600_000)


def test_formats_are_the_checkpoints_own() -> None:
    assert format_of(config_of(model_named("deepseek_r1")), "auto") == "fp8"
    assert format_of(config_of(model_named("gpt_oss_20b")), "auto") == "mxfp4"
    assert format_of(config_of(model_named("qwen3_8b")), "auto") == "bf16"
    assert format_of(config_of(model_named("pocket")), "auto") == "float32"
    assert format_of({"quantization_config": {"quant_method": "gptq"}}, "auto") == "int4"
    with pytest.raises(ValueError, match="quant_method in the model's configuration must be one of fp8"):
        format_of({"quantization_config": {"quant_method": "hqq"}}, "auto")


def test_weights_of_quantised_checkpoints() -> None:
    """gpt-oss-20b's files have 13.8 GB; the 689 GB of R1's include a layer that predicts several tokens."""
    sizes = {name: planned(node_of(name), tp=8).capacity.weight_bytes * 8 / 1e9 for name in QUANTISED}

    for name, size_gb in QUANTISED.items():
        assert sizes[name] == pytest.approx(size_gb, rel=0.02)


QUANTISED = {"gpt_oss_20b": 13.8, "gpt_oss_120b": 65.2, "deepseek_r1": 674}
