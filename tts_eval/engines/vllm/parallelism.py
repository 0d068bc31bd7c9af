"""How a model may be split over workers: by heads and widths, by layers, by replicas, by experts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tts_eval.model import Model

NUM_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")


def check(model: Model, *, tensor: int, pipeline: int, data: int, has_expert_parallel: bool) -> None:
    """Reject with a ValueError a split that `model` does not allow, with those that it does."""
    architecture = model.architecture().get_text_config()
    heads = int(architecture.num_attention_heads)
    kv_heads = int(getattr(architecture, "num_key_value_heads", None) or heads)
    _refuse(
        tensor,
        "engine.tensor_parallel_size",
        _valid(heads, lambda size: heads % size == 0),
        f"does not divide the model's {heads} attention heads",
    )
    _refuse(
        tensor,
        "engine.tensor_parallel_size",
        _valid(heads, lambda size: heads % size == 0 and (kv_heads % size == 0 or size % kv_heads == 0)),
        f"neither divides the model's {kv_heads} key-value heads nor is a multiple of them",
    )
    layers = int(architecture.num_hidden_layers)
    if pipeline > layers:
        raise ValueError(
            f"engine.pipeline_parallel_size={pipeline} is more than the model's {layers} layers; "
            f"allowed: 1 to {layers}"
        )
    if has_expert_parallel:
        _check_experts(model, architecture, num_workers=tensor * data)


def _check_experts(model: Model, architecture: Any, *, num_workers: int) -> None:
    num_experts = next((int(n) for name in NUM_EXPERTS if (n := getattr(architecture, name, None))), 0)
    if num_experts == 0:
        raise ValueError(
            f"engine.enable_expert_parallel=true: model {model.name!r} has no experts; allowed: false"
        )
    if num_workers > num_experts:
        raise ValueError(
            f"tensor x data parallel = {num_workers} workers share the model's {num_experts} experts; "
            f"allowed: at most {num_experts}"
        )


def _valid(most: int, is_valid: Callable[[int], bool]) -> list[int]:
    return [size for size in range(1, most + 1) if is_valid(size)]


def _refuse(size: int, name: str, valid: list[int], why: str) -> None:
    if size not in valid:
        raise ValueError(f"{name}={size} {why}; allowed: {', '.join(map(str, valid))}")
