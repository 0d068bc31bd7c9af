"""How much of the hardware's speed a run used.

Knows no price. Speeds of the hardware that are not known make the shares None, not the achieved speeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.weight_format import WeightFormat, weight_format
from tts_eval.spend import Call
from tts_eval.summary.sessions import Session, added
from tts_eval.summary.utilization import Decoded, decode_bytes

PEAKS = {"16 bits": "bf16_tflops", "fp8": "fp8_tflops"}  # by what matrices are multiplied in


def utilization_figures(
    sessions: Sequence[Session], flops: float | None, *, config: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return FLOPs a second of all models, bytes a second that the policy's decoding read, and their shares.

    What was done is held against what the GPUs of every session could have done in the time they were held:
    all of them for FLOPs, those of the policy's engine for its bytes. The peak is that of the format in which
    the policy's matrices are multiplied, 16 bits or fp8; of any other it is not known.
    """
    held_s = sum(session.held_s for session in sessions)
    num_bytes = None if config is None else added(_bytes_read(session, config) for session in sessions)
    return {
        "achieved_flops_per_s": _over(flops, held_s),
        "mfu": _over(flops or None, added(_peak_flops(session, config) for session in sessions)),
        "achieved_bytes_per_s": _over(num_bytes, held_s),
        "bandwidth_utilization": _over(num_bytes, added(_peak_bytes(session) for session in sessions)),
    }


def _weights(session: Session, config: Mapping[str, Any] | None) -> WeightFormat:
    settings = session.engine["settings"]
    return weight_format(config or {}, str(settings.get("dtype")), quantization=settings.get("quantization"))


def _peak_flops(session: Session, config: Mapping[str, Any] | None) -> float | None:
    multiplies_in = _weights(session, config).multiplies_in
    tflops = None if multiplies_in is None else session.hardware[PEAKS[multiplies_in]]
    return None if tflops is None else float(session.gpu_s * tflops * 1e12)


def _peak_bytes(session: Session) -> float | None:
    gb_per_s = session.hardware["bandwidth_gb_per_s"]
    return None if gb_per_s is None else float(session.held_s * session.engine["num_gpus"] * gb_per_s * 1e9)


def _bytes_read(session: Session, config: Mapping[str, Any]) -> float | None:
    """Return what the policy's engine read at least, None where it counts no steps."""
    if not session.num_steps:
        return None
    settings = session.engine["settings"]
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
