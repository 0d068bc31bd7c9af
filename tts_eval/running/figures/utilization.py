"""How much of the hardware's speed a run used.

Knows no price. Speeds of the hardware that are not known make the shares None, not the achieved speeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.utilization import Decoded, decode_bytes, share_of_peak
from tts_eval.measuring.weight_format import weight_format
from tts_eval.spend import Call

PEAKS = {"16 bits": "bf16_tflops", "fp8": "fp8_tflops"}  # by what matrices are multiplied in


def utilization_figures(
    calls: Sequence[Call],
    flops: float | None,
    *,
    wall_s: float,
    num_gpus: int,
    num_steps: int,
    config: Mapping[str, Any] | None,
    engine: Mapping[str, Any],
    hardware: Mapping[str, Any],
) -> dict[str, Any]:
    """Return FLOPs a second of all models, bytes a second that the policy's decoding read, and their shares.

    `engine` are the facts of the policy's, `num_gpus` those held. The peak is that of the format in
    which the policy's matrices are multiplied, 16 bits or fp8; of any other it is not known.
    """
    dtype = str(engine["settings"].get("dtype"))
    weights = weight_format(config or {}, dtype, quantization=engine["settings"].get("quantization"))
    tflops = None if weights.multiplies_in is None else hardware[PEAKS[weights.multiplies_in]]
    gb_per_s = hardware["bandwidth_gb_per_s"]
    num_bytes = None
    if config is not None and num_steps:
        num_bytes = decode_bytes(
            read_architecture(config),
            [_decoded(call) for call in calls if call.role == "policy"],
            num_steps=num_steps,
            weights=weights,
            dtype=dtype,
            kv_cache_dtype=engine["settings"].get("kv_cache_dtype"),
        )
    return {
        "achieved_flops_per_s": _over(flops, wall_s),
        "mfu": None
        if not flops or tflops is None
        else share_of_peak(flops, wall_s, num_gpus=num_gpus, peak_per_s=tflops * 1e12),
        "achieved_bytes_per_s": _over(num_bytes, wall_s),
        "bandwidth_utilization": None
        if not num_bytes or gb_per_s is None
        else share_of_peak(num_bytes, wall_s, num_gpus=engine["num_gpus"], peak_per_s=gb_per_s * 1e9),
    }


def _decoded(call: Call) -> Decoded:
    """Return the decode passes of `call`: an accepted draft token takes none of its own."""
    num_passes = call.num_generated_tokens - 1 - (call.num_accepted_tokens or 0)
    return Decoded(
        num_prompt_tokens=call.num_prompt_tokens,
        num_context_tokens=call.num_prompt_tokens + call.num_generated_tokens,
        num_passes=max(0, num_passes),
    )


def _over(amount: float | None, seconds: float) -> float | None:
    return amount / seconds if amount is not None and seconds else None
