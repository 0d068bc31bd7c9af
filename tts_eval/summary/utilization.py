"""How much of the hardware's speed a run used: of its FLOPs (MFU) and of its memory bandwidth (MBU).

Knows no engine and no clock. MFU is defined as in PaLM (arXiv 2204.02311, appendix B), on the FLOPs that were
done, recomputed and rejected ones included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.measuring.architecture import Architecture
from tts_eval.measuring.weight_format import BYTES, WeightFormat


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one call decoded: `num_passes` forward passes after a prompt, up to `num_context_tokens`."""

    num_prompt_tokens: int
    num_context_tokens: int
    num_passes: int


def share_of_peak(amount: float, seconds: float, *, num_gpus: int, peak_per_s: float) -> float:
    """Return which share of `num_gpus` x `peak_per_s` x `seconds` the `amount` is."""
    return amount / (seconds * num_gpus * peak_per_s)


def decode_bytes(
    architecture: Architecture,
    calls: Sequence[Decoded],
    *,
    num_steps: int,
    weights: WeightFormat,
    dtype: str,
    kv_cache_dtype: str | None = None,
) -> float | None:
    """Return the bytes that were read from memory at least: weights once a step, KV cache once a decode pass.

    A lower bound: activations, writes and the KV cache that prefills read are left out. None for a mixture of
    experts, whose steps read as many experts as their tokens happen to visit, and for unknown formats.
    `dtype` is what the engine computes in, and its KV cache where nothing else is said.
    """
    bytes_per_element = BYTES.get(dtype if kv_cache_dtype in (None, "auto") else kv_cache_dtype)
    if (
        architecture.experts is not None
        or weights.layer_bytes is None
        or weights.other_bytes is None
        or bytes_per_element is None
    ):
        return None
    weight_bytes = (
        architecture.num_active_layer_weights * weights.layer_bytes
        + architecture.num_lm_head_weights * weights.other_bytes
    )
    kv_bytes = sum(
        call.num_passes
        * architecture.kv_bytes(
            (call.num_prompt_tokens + call.num_context_tokens) // 2, bytes_per_element=bytes_per_element
        )
        for call in calls
    )
    return num_steps * weight_bytes + kv_bytes
