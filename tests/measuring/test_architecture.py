"""Sizes read from configurations, against the weights of tiny models and the figures of published ones."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    DeepseekV3Config,
    GptOssConfig,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    Qwen2Config,
    Qwen2ForSequenceClassification,
    Qwen2MoeConfig,
    Qwen3Config,
    Qwen3MoeConfig,
)

from tts_eval.measuring.architecture_reader import read_architecture

SMALL = {
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 112,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
}
EIGHT_EXPERTS = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 48}
TINY = {
    "llama": LlamaConfig(**SMALL),
    "llama with biases": LlamaConfig(**SMALL, attention_bias=True, mlp_bias=True),
    "mistral": MistralConfig(**SMALL, head_dim=24, sliding_window=8),
    "mixtral": MixtralConfig(**SMALL, num_local_experts=4, num_experts_per_tok=2),
    "qwen2": Qwen2Config(**SMALL),
    "qwen2_moe": Qwen2MoeConfig(**SMALL, **EIGHT_EXPERTS, shared_expert_intermediate_size=80),
    "qwen3, tied": Qwen3Config(**SMALL, head_dim=24, tie_word_embeddings=True),
    "qwen3_moe, second layer dense": Qwen3MoeConfig(
        **SMALL, **EIGHT_EXPERTS, head_dim=24, mlp_only_layers=[1]
    ),
    "qwen3_moe, every other layer": Qwen3MoeConfig(**SMALL, **EIGHT_EXPERTS, decoder_sparse_step=2),
    "gpt_oss": GptOssConfig(**SMALL, head_dim=24, num_local_experts=4, num_experts_per_tok=2),
    "deepseek_v3": DeepseekV3Config(
        **{**SMALL, "num_key_value_heads": 4},
        n_routed_experts=8,
        n_group=2,
        topk_group=1,
        num_experts_per_tok=2,
        moe_intermediate_size=48,
        n_shared_experts=2,
        first_k_dense_replace=1,
        q_lora_rank=24,
        kv_lora_rank=16,
        qk_nope_head_dim=12,
        qk_rope_head_dim=8,
        v_head_dim=20,
    ),
    "deepseek_v3, queries in one step, biases": DeepseekV3Config(
        **{**SMALL, "num_key_value_heads": 4},
        n_routed_experts=8,
        moe_intermediate_size=48,
        q_lora_rank=None,
        attention_bias=True,
    ),
}
tiny = pytest.mark.parametrize("config", TINY.values(), ids=TINY.keys())


@tiny
def test_parameters_are_those_of_the_model(config: Any) -> None:
    model = AutoModelForCausalLM.from_config(config)

    assert read_architecture(config).num_parameters == sum(p.numel() for p in model.parameters())


@tiny
def test_active_parameters_leave_out_the_experts_not_visited(config: Any) -> None:
    """A quarter of eight experts is visited, half of four; all else is."""
    model = AutoModelForCausalLM.from_config(config)
    architecture = read_architecture(config)
    experts = architecture.experts
    share = experts.num_active / experts.num_experts if experts else 1

    active = sum(p.numel() * (share if ".experts." in name else 1) for name, p in model.named_parameters())
    assert architecture.num_active_parameters == active


@tiny
def test_a_config_json_reads_like_the_configuration_it_was_saved_from(config: Any, tmp_path: Path) -> None:
    config.save_pretrained(tmp_path)

    saved = json.loads((tmp_path / "config.json").read_text())
    assert (
        read_architecture(saved)
        == read_architecture(config)
        == read_architecture(AutoConfig.from_pretrained(tmp_path))
    )


def dense(
    family: str, layers: int, hidden: int, ffn: int, heads: int, kv_heads: int, vocab: int, **more: Any
) -> dict[str, Any]:
    """Return what a config.json says of such a model; heads are 128 wide unless `more` says otherwise."""
    return {
        "model_type": family,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "intermediate_size": ffn,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": 128,
        "vocab_size": vocab,
        "tie_word_embeddings": False,
        **more,
    }


def qwen3_moe(layers: int, hidden: int, heads: int, expert_ffn: int) -> dict[str, Any]:
    experts = {"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": expert_ffn}
    return dense("qwen3_moe", layers, hidden, 3 * hidden, heads, 4, 151936, **experts)


def gpt_oss(layers: int, experts: int) -> dict[str, Any]:
    return dense(
        "gpt_oss",
        layers,
        2880,
        2880,
        64,
        8,
        201088,
        head_dim=64,
        attention_bias=True,
        num_local_experts=experts,
        num_experts_per_tok=4,
        sliding_window=128,
        layer_types=["sliding_attention", "full_attention"] * (layers // 2),
    )


DEEPSEEK_R1 = dense(
    "deepseek_v3",
    61,
    7168,
    18432,
    128,
    128,
    129280,
    first_k_dense_replace=3,
    moe_intermediate_size=2048,
    n_routed_experts=256,
    n_shared_experts=1,
    num_experts_per_tok=8,
    q_lora_rank=1536,
    kv_lora_rank=512,
    qk_nope_head_dim=128,
    qk_rope_head_dim=64,
    v_head_dim=128,
)
TIED = {"tie_word_embeddings": True}
PUBLISHED = {  # config.json, billions of parameters, KV-cache bytes a token in bf16
    "R1-Distill-Qwen-1.5B": (dense("qwen2", 28, 1536, 8960, 12, 2, 151936), 1.777, 28672),
    "R1-Distill-Qwen-7B": (dense("qwen2", 28, 3584, 18944, 28, 4, 152064), 7.616, 57344),
    "R1-Distill-Qwen-14B": (dense("qwen2", 48, 5120, 13824, 40, 8, 152064), 14.770, 196608),
    "R1-Distill-Qwen-32B": (dense("qwen2", 64, 5120, 27648, 40, 8, 152064), 32.764, 262144),
    "R1-Distill-Llama-8B": (dense("llama", 32, 4096, 14336, 32, 8, 128256), 8.030, 131072),
    "R1-Distill-Llama-70B": (dense("llama", 80, 8192, 28672, 64, 8, 128256), 70.554, 327680),
    "Llama-3.1-405B": (dense("llama", 126, 16384, 53248, 128, 8, 128256), 405.853, 516096),
    "Qwen3-0.6B": (dense("qwen3", 28, 1024, 3072, 16, 8, 151936, **TIED), 0.596, 114688),
    "Qwen3-1.7B": (dense("qwen3", 28, 2048, 6144, 16, 8, 151936, **TIED), 1.721, 114688),
    "Qwen3-4B": (dense("qwen3", 36, 2560, 9728, 32, 8, 151936, **TIED), 4.022, 147456),
    "Qwen3-8B": (dense("qwen3", 36, 4096, 12288, 32, 8, 151936), 8.191, 147456),
    "Qwen3-14B": (dense("qwen3", 40, 5120, 17408, 40, 8, 151936), 14.768, 163840),
    "Qwen3-32B": (dense("qwen3", 64, 5120, 25600, 64, 8, 151936), 32.762, 262144),
    "Qwen3-30B-A3B": (qwen3_moe(48, 2048, 32, 768), 30.53, 98304),
    "Qwen3-235B-A22B": (qwen3_moe(94, 4096, 64, 1536), 235.1, 192512),
    "gpt-oss-20b": (gpt_oss(24, 32), 20.91, 49152),
    "gpt-oss-120b": (gpt_oss(36, 128), 116.83, 73728),
    "DeepSeek-R1": (DEEPSEEK_R1, 671.0, 70272),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_cache_of_a_published_model(name: str) -> None:
    config, billions, kv_bytes = PUBLISHED[name]
    architecture = read_architecture(config)

    assert architecture.num_parameters / 1e9 == pytest.approx(billions, rel=0.001)
    assert architecture.kv_bytes_per_token(2) == kv_bytes


@pytest.mark.parametrize(
    ("name", "billions"), [("Qwen3-30B-A3B", 3.35), ("Qwen3-235B-A22B", 22.2), ("DeepSeek-R1", 37.6)]
)
def test_active_parameters_of_a_published_mixture_of_experts(name: str, billions: float) -> None:
    assert read_architecture(PUBLISHED[name][0]).num_active_parameters / 1e9 == pytest.approx(
        billions, rel=0.005
    )


@pytest.mark.parametrize(("name", "billions"), [("gpt-oss-20b", 3.61), ("gpt-oss-120b", 5.13)])
def test_active_parameters_as_the_model_card_of_gpt_oss_counts_them(name: str, billions: float) -> None:
    """Model card, table 1 (arXiv 2508.10925): without the input embedding."""
    architecture = read_architecture(PUBLISHED[name][0])

    assert architecture.num_active_parameters_excl_embedding / 1e9 == pytest.approx(billions, rel=0.005)


def test_a_tied_embedding_counts_as_lm_head() -> None:
    tied, untied = (
        read_architecture({**PUBLISHED["Qwen3-8B"][0], "tie_word_embeddings": t}) for t in (True, False)
    )

    assert untied.num_parameters - tied.num_parameters == 151936 * 4096
    assert tied.num_active_parameters_excl_embedding == untied.num_active_parameters_excl_embedding
    assert tied.num_active_parameters_excl_embedding == tied.num_parameters


def test_beyond_the_window_only_the_full_layers_keep_more() -> None:
    """gpt-oss-20b: 128 tokens in all 24 layers, every further one in 12."""
    architecture = read_architecture(PUBLISHED["gpt-oss-20b"][0])

    assert architecture.kv_bytes(1128, bytes_per_element=2) == 128 * 49152 + 1000 * 24576


def test_fp8_halves_the_cache_of_deepseek() -> None:
    assert read_architecture(DEEPSEEK_R1).kv_bytes_per_token(1) == 35136


@pytest.mark.parametrize(
    ("fields", "windows"),
    [
        ({"sliding_window": 8}, (8, 8, 8, 8)),
        ({"sliding_window": None}, (None,) * 4),
        ({"sliding_window": 8, "use_sliding_window": False}, (None,) * 4),
        ({"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 3}, (None, None, None, 8)),
        (
            {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"] * 2},
            (8, None, 8, None),
        ),
    ],
)
def test_windows_as_families_write_them(fields: dict[str, Any], windows: tuple[int | None, ...]) -> None:
    assert read_architecture(dense("mistral", 4, 64, 128, 4, 2, 96, **fields)).windows == windows


@pytest.mark.parametrize("is_tied", [False, True])
def test_a_reward_model_has_no_lm_head(is_tied: bool) -> None:
    config = Qwen2Config(**SMALL, num_labels=1, tie_word_embeddings=is_tied)
    model = Qwen2ForSequenceClassification(config)
    architecture = read_architecture(
        {**config.to_dict(), "architectures": ["Qwen2ForSequenceClassification"]}
    )

    assert architecture.num_parameters == sum(p.numel() for p in model.model.parameters())
    assert architecture.num_lm_head_weights == 0
    assert architecture.num_active_parameters_excl_embedding == architecture.num_parameters - 96 * 64


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("Qwen3-8B", "num_hidden_layers"),
        ("Qwen3-8B", "hidden_size"),
        ("Qwen3-8B", "intermediate_size"),
        ("Qwen3-8B", "num_attention_heads"),
        ("Qwen3-8B", "vocab_size"),
        ("Qwen3-30B-A3B", "num_experts_per_tok"),
        ("gpt-oss-20b", "sliding_window"),
        ("DeepSeek-R1", "v_head_dim"),
    ],
)
def test_what_is_missing_is_named(name: str, lacking: str) -> None:
    config = {field: value for field, value in PUBLISHED[name][0].items() if field != lacking}

    with pytest.raises(ValueError, match=f"of a '{config['model_type']}' model lacks {lacking};"):
        read_architecture(config)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (
            {"layer_types": ["linear_attention"] * 4},
            "one of full_attention, sliding_attention, not 'linear_att",
        ),
        ({"layer_types": ["full_attention"] * 5}, "layer_types names 5 layers, num_hidden_layers is 4"),
        ({"intermediate_size": [128] * 4}, r"intermediate_size .* must be a whole number from 1, not \[128"),
    ],
)
def test_what_is_not_counted_is_refused(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_architecture({**dense("qwen3", 4, 64, 128, 4, 2, 96), **fields})


def test_an_unchecked_family_is_read_by_its_fields_with_a_warning() -> None:
    """SmolLM3 is a Llama in all that counts."""
    with pytest.warns(UserWarning, match="'smollm3' is read as a decoder with gated feed-forward layers"):
        other = read_architecture(dense("smollm3", 4, 64, 128, 4, 2, 96))

    assert other == read_architecture(dense("llama", 4, 64, 128, 4, 2, 96))
