"""The architecture that a model's configuration describes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from tts_eval import checks
from tts_eval.measuring.architecture import Architecture, Experts, LatentAttention

# What a family has without a field that says so.
QKV_BIAS = ("qwen2", "qwen2_moe")
QK_NORM = ("qwen3", "qwen3_moe")
SINKS_AND_EXPERT_BIAS = ("gpt_oss",)
# Whose counts are held against real weights in the tests.
CHECKED_FAMILIES = ("llama", "mistral", "mixtral", *QKV_BIAS, *QK_NORM, *SINKS_AND_EXPERT_BIAS, "deepseek_v3")
FULL, SLIDING = "full_attention", "sliding_attention"
HEADS_INSTEAD_OF_LM_HEAD = ("SequenceClassification", "TokenClassification", "RewardModel")


def read_architecture(config: Any) -> Architecture:
    """Read a transformers configuration, or the mapping that a config.json holds.

    A family whose counts are not checked against real weights is read by the names of its fields, with
    a warning.

    Raises:
        ValueError: A size is missing, or layers are of a kind that is not counted here.
    """
    fields: Mapping[str, Any] = config if isinstance(config, Mapping) else config.to_dict()
    family = fields.get("model_type")
    if family not in CHECKED_FAMILIES:
        warnings.warn(
            f"model family {family!r} is read as a decoder with gated feed-forward layers; "
            f"the counts are checked for {', '.join(CHECKED_FAMILIES)}",
            stacklevel=2,
        )
    num_heads, latent = _size(fields, "num_attention_heads"), _latent(fields)
    has_attention_bias = bool(fields.get("attention_bias"))
    return Architecture(
        hidden_size=_size(fields, "hidden_size"),
        vocab_size=_size(fields, "vocab_size"),
        ffn_size=_size(fields, "intermediate_size"),
        num_heads=num_heads,
        num_kv_heads=_size(fields, "num_key_value_heads", default=num_heads),
        head_dim=latent.nope_dim + latent.rope_dim
        if latent
        else _size(fields, "head_dim", default=_size(fields, "hidden_size") // num_heads),
        windows=_windows(fields),
        latent=latent,
        experts=_experts(fields),
        has_lm_head=_has_lm_head(fields),
        has_tied_embeddings=bool(fields.get("tie_word_embeddings")),
        has_qkv_bias=has_attention_bias or bool(fields.get("qkv_bias", family in QKV_BIAS)),
        has_output_bias=has_attention_bias,
        has_ffn_bias=bool(fields.get("mlp_bias")),
        has_qk_norm=bool(fields.get("use_qk_norm", family in QK_NORM)),
        has_sinks=family in SINKS_AND_EXPERT_BIAS,
    )


def _size(fields: Mapping[str, Any], *names: str, default: int | None = None) -> int:
    """Return the first field of `names` that is set."""
    for name in names:
        if fields.get(name) is not None:
            checks.whole_number(f"{name} in the model's configuration", fields[name], minimum=1)
            return int(fields[name])
    if default is None:
        raise ValueError(
            f"the configuration of a {fields.get('model_type')!r} model lacks {' or '.join(names)}; "
            f"parameters and FLOPs cannot be counted without"
        )
    return default


def _latent(fields: Mapping[str, Any]) -> LatentAttention | None:
    if fields.get("kv_lora_rank") is None:
        return None
    return LatentAttention(
        query_rank=None if fields.get("q_lora_rank") is None else _size(fields, "q_lora_rank"),
        kv_rank=_size(fields, "kv_lora_rank"),
        nope_dim=_size(fields, "qk_nope_head_dim"),
        rope_dim=_size(fields, "qk_rope_head_dim"),
        value_dim=_size(fields, "v_head_dim"),
    )


def _experts(fields: Mapping[str, Any]) -> Experts | None:
    names = ("num_experts", "num_local_experts", "n_routed_experts")
    if not any(fields.get(name) for name in names):
        return None
    num_layers = _size(fields, "num_hidden_layers")
    every, dense = fields.get("decoder_sparse_step") or 1, fields.get("mlp_only_layers") or ()
    first = fields.get("first_k_dense_replace") or 0
    ffn_size = _size(fields, "moe_intermediate_size", "intermediate_size")
    return Experts(
        num_layers=sum(i not in dense and (i + 1) % every == 0 for i in range(first, num_layers)),
        num_experts=_size(fields, *names),
        num_active=_size(fields, "num_experts_per_tok"),
        ffn_size=ffn_size,
        shared_ffn_size=fields.get("shared_expert_intermediate_size")
        or (fields.get("n_shared_experts") or 0) * ffn_size,
        has_shared_gate=bool(fields.get("shared_expert_intermediate_size")),
        has_bias=fields.get("model_type") in SINKS_AND_EXPERT_BIAS,
    )


def _windows(fields: Mapping[str, Any]) -> tuple[int | None, ...]:
    num_layers = _size(fields, "num_hidden_layers")
    kinds = fields.get("layer_types")
    if kinds is None:
        is_sliding = fields.get("sliding_window") and fields.get("use_sliding_window", True)
        num_full = (fields.get("max_window_layers") or 0) if is_sliding else num_layers
        kinds = [FULL if i < num_full else SLIDING for i in range(num_layers)]
    if len(kinds) != num_layers:
        raise ValueError(f"layer_types names {len(kinds)} layers, num_hidden_layers is {num_layers}")
    for kind in kinds:
        checks.one_of("each of layer_types", kind, (FULL, SLIDING))
    return tuple(_size(fields, "sliding_window") if kind == SLIDING else None for kind in kinds)


def _has_lm_head(fields: Mapping[str, Any]) -> bool:
    names = fields.get("architectures") or ()
    return not any(head in name for name in names for head in HEADS_INSTEAD_OF_LM_HEAD)
