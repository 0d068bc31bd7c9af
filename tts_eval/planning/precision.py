"""How many bytes weights and KV cache take per element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tts_eval import checks


@dataclass(frozen=True, slots=True)
class Precision:
    """Bytes per element of the matrices in layers, of routed experts, and of all the rest.

    The rest is embeddings, lm_head, norms, biases and routers, which quantisation leaves alone. `is_fp8` says
    that matrices are multiplied in fp8.
    """

    layer_bytes: float
    expert_bytes: float
    other_bytes: float
    is_fp8: bool = False

    @property
    def activation_bytes(self) -> float:
        """Bytes per element of what passes between layers."""
        return self.other_bytes


# int4: groups of 128 with a 16-bit scale and a 4-bit zero point (GPTQ, AWQ). mxfp4: 32 values share an 8-bit
# scale (OCP MX 1.0), in the experts alone (gpt-oss). fp8: the scale of a 128 x 128 block is left out.
INT4_BYTES = 0.5 + 2.5 / 128
FORMATS = {
    "float32": Precision(4, 4, 4),
    "bf16": Precision(2, 2, 2),
    "fp8": Precision(1, 1, 2, is_fp8=True),
    "int4": Precision(INT4_BYTES, INT4_BYTES, 2),
    "mxfp4": Precision(2, 4.25 / 8, 2),
}
QUANTISED = {"fp8": "fp8", "mxfp4": "mxfp4", "gptq": "int4", "awq": "int4"}
KV_BYTES = {"bf16": 2, "fp8": 1, "float32": 4}


def format_of(config: Mapping[str, Any], dtype: str) -> str:
    """Return the format of a checkpoint, from its configuration and the engine's dtype ("auto": its own)."""
    method = (config.get("quantization_config") or {}).get("quant_method")
    if method is not None:
        checks.one_of("quant_method in the model's configuration", method, tuple(QUANTISED))
        return QUANTISED[method]
    own = config.get("dtype") or config.get("torch_dtype") or "bfloat16"
    name = str(own if dtype == "auto" else dtype)
    return "float32" if name in ("float32", "float") else "bf16"
