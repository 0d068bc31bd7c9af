"""How many bytes the weights of a checkpoint take, and in which format its matrices are multiplied.

Read from `quantization_config`, as checkpoints carry it, and from what the engine was given besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1}
SIXTEEN_BITS = ("bfloat16", "float16")
SCALE_BYTES = 2  # of a group of weights


@dataclass(frozen=True, slots=True)
class WeightFormat:
    """Bytes a weight, in layers and in the rest (lm_head); None: not known, or not the same for all layers.

    `multiplies_in` is the format of the matrix units, "16 bits" or "fp8"; None where it is another one.
    """

    layer_bytes: float | None
    other_bytes: float | None
    multiplies_in: str | None


def weight_format(config: Mapping[str, Any], dtype: str, *, quantization: str | None = None) -> WeightFormat:
    """Return the format of a model's weights, `dtype` being what the engine computes in.

    `quantization` is the engine's own name for it; without a `quantization_config` it quantises at loading.
    """
    plain_bytes = BYTES.get(dtype)
    sixteen = "16 bits" if dtype in SIXTEEN_BITS else None
    settings = config.get("quantization_config") or {}
    method = settings.get("quant_method") or quantization
    match method:
        case None:
            return WeightFormat(plain_bytes, plain_bytes, sixteen)
        case "fp8" | "fbgemm_fp8":  # scales of blocks of 128 x 128, or of rows, are left out
            return WeightFormat(1.0, plain_bytes, "fp8")
        case "awq" | "gptq" | "awq_marlin" | "gptq_marlin" if "bits" in settings:
            bits, group_size = int(settings["bits"]), int(settings.get("group_size") or -1)
            return WeightFormat(_grouped_bytes(bits, group_size), plain_bytes, sixteen)
        case "bitsandbytes" if settings.get("load_in_4bit"):  # a 32-bit scale for 64 weights
            scale_bytes = 1 + 4 / 256 if settings.get("bnb_4bit_use_double_quant") else 4
            return WeightFormat(0.5 + scale_bytes / 64, plain_bytes, sixteen)
        case "bitsandbytes" if settings.get("load_in_8bit"):
            return WeightFormat(1.0, plain_bytes, None)
        case "compressed-tensors":
            return _compressed(settings, plain_bytes, sixteen)
        case _:
            return WeightFormat(None, plain_bytes, None)


def _compressed(settings: Mapping[str, Any], plain_bytes: float | None, sixteen: str | None) -> WeightFormat:
    """Read a checkpoint of llm-compressor; layers of several formats have no one size."""
    groups = list((settings.get("config_groups") or {}).values())
    if len(groups) != 1 or not groups[0].get("weights"):
        return WeightFormat(None, plain_bytes, None)
    weights, activations = groups[0]["weights"], groups[0].get("input_activations")
    bits, kind = int(weights["num_bits"]), weights.get("type")
    layer_bytes = _grouped_bytes(bits, int(weights.get("group_size") or -1), has_zero=kind == "int")
    if activations is None:  # the weights are unpacked to what the activations are
        return WeightFormat(layer_bytes, plain_bytes, sixteen)
    is_fp8 = (kind, bits, activations.get("type"), activations.get("num_bits")) == ("float", 8, "float", 8)
    return WeightFormat(layer_bytes, plain_bytes, "fp8" if is_fp8 else None)


def _grouped_bytes(bits: int, group_size: int, *, has_zero: bool = True) -> float:
    """Return the bytes of a weight with its part of its group's scale and zero; -1: a row's, left out."""
    if group_size < 1:
        return bits / 8
    return bits / 8 + (SCALE_BYTES + has_zero * bits / 8) / group_size
