"""How much of the hardware's speed a run used: of its FLOPs (MFU) and of its memory bandwidth (MBU).

Knows no engine and no clock. MFU is defined as in PaLM (arXiv 2204.02311, appendix B), on the FLOPs that were
done, recomputed and rejected ones included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.measuring.architecture import Architecture

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1}


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
    dtype: str,
    kv_cache_dtype: str | None = None,
) -> int | None:
    """Return the bytes that were read from memory at least: weights once a step, KV cache once a decode pass.

    A lower bound: activations, writes and the KV cache that prefills read are left out. None for a mixture of
    experts, whose steps read as many experts as their tokens happen to visit, and for weights that are
    neither of 2 nor of 4 bytes.
    """
    bytes_per_weight = BYTES.get(dtype)
    bytes_per_element = (
        BYTES.get(kv_cache_dtype) if kv_cache_dtype not in (None, "auto") else bytes_per_weight
    )
    if architecture.experts is not None or bytes_per_weight is None or bytes_per_element is None:
        return None
    num_weights = architecture.num_active_layer_weights + architecture.num_lm_head_weights
    kv_bytes = sum(
        call.num_passes
        * architecture.kv_bytes(
            (call.num_prompt_tokens + call.num_context_tokens) // 2, bytes_per_element=bytes_per_element
        )
        for call in calls
    )
    return num_steps * num_weights * bytes_per_weight + kv_bytes
