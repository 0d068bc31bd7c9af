"""How much of the hardware's speed a run used: of its FLOPs (MFU) and of its memory bandwidth (MBU).

MFU is defined as in PaLM (arXiv 2204.02311, appendix B), on the FLOPs that were done, recomputed and
rejected ones included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.measuring.architecture import Architecture
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.weight_format import BYTES, WeightFormat, weight_format
from tts_eval.rundir.manifest import Config
from tts_eval.rundir.topic import Topic
from tts_eval.spend import Call
from tts_eval.summary.sessions import Session, added


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


class Utilization(Topic, frozen=True, kw_only=True):
    """FLOPs a second of all models, bytes a second that the policy's decoding read, and their shares.

    What was done is held against what the GPUs of every session could have done in the time they were held:
    all of them for FLOPs, those of the policy's engine for its bytes. The peak is that of the format in which
    the policy's matrices are multiplied, 16 bits or fp8; of any other it is not known.
    """

    achieved_flops_per_s: float | None
    mfu: float | None
    achieved_bytes_per_s: float | None
    bandwidth_utilization: float | None


def utilization_figures(
    sessions: Sequence[Session], flops: float | None, *, config: Config | None
) -> Utilization:
    """Return what `sessions` used; `config` is the policy's architecture as published."""
    held_s = sum(session.held_s for session in sessions)
    num_bytes = None if config is None else added(_bytes_read(session, config) for session in sessions)
    return Utilization(
        achieved_flops_per_s=_over(flops, held_s),
        mfu=_over(flops or None, added(_peak_flops(session, config) for session in sessions)),
        achieved_bytes_per_s=_over(num_bytes, held_s),
        bandwidth_utilization=_over(num_bytes, added(_peak_bytes(session) for session in sessions)),
    )


def _weights(session: Session, config: Config | None) -> WeightFormat:
    settings = session.engine.settings
    return weight_format(config or {}, str(settings.get("dtype")), quantization=settings.get("quantization"))


def _peak_flops(session: Session, config: Config | None) -> float | None:
    multiplies_in = _weights(session, config).multiplies_in
    peaks = {"16 bits": session.hardware.bf16_tflops, "fp8": session.hardware.fp8_tflops}
    tflops = None if multiplies_in is None else peaks[multiplies_in]
    return None if tflops is None else float(session.gpu_s * tflops * 1e12)


def _peak_bytes(session: Session) -> float | None:
    gb_per_s = session.hardware.bandwidth_gb_per_s
    return None if gb_per_s is None else float(session.held_s * session.engine.num_gpus * gb_per_s * 1e9)


def _bytes_read(session: Session, config: Config) -> float | None:
    """Return what the policy's engine read at least, None where it counts no steps."""
    if not session.num_steps:
        return None
    settings = session.engine.settings
    return decode_bytes(
        read_architecture(config),
        [_decoded(call) for call in session.calls if call.role == "policy"],
        num_steps=session.num_steps,
        weights=_weights(session, config),
        dtype=str(settings.get("dtype")),
        kv_cache_dtype=settings.get("kv_cache_dtype"),
    )


def _decoded(call: Call) -> Decoded:
    """Return the decode passes of `call`: an accepted draft token takes none of its own."""
    num_passes = call.num_generated_tokens - 1 - (call.num_accepted_tokens or 0)
    return Decoded(
        num_prompt_tokens=call.num_prompt_tokens,
        num_context_tokens=call.num_prompt_tokens + call.num_generated_tokens,
        num_passes=max(0, num_passes),
    )


def _over(amount: float | None, whole: float | None) -> float | None:
    return amount / whole if amount is not None and whole else None
