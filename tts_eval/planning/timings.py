"""The constants of a GPU's kernels, links and host that step times are made of.

Values come from `conf/hardware/*` (key `timings`, with sources). What stands here is the default for a GPU
whose file does not say, and each says what it is: measured on another GPU, or assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from tts_eval import checks
from tts_eval.hardware import Hardware

US = 1e-6


@dataclass(frozen=True, slots=True)
class Timings:
    """Constants of one GPU; times in microseconds, speeds as the data sheet has them times an efficiency.

    A matrix takes `matrix_floor_us` + bytes / (`matrix_efficiency` x bandwidth), so that small ones are less
    efficient. The tables of the all-reduce go by tensor-parallel degree: latency within CUDA graphs, latency
    of eager launches, and the bandwidth that large messages see (message / time).
    """

    bandwidth_gb_per_s: float
    bf16_tflops: float
    fp8_tflops: float | None
    link_gb_per_s: float | None
    matrix_efficiency: float = 0.81  # aiconfigurator's own default is 0.8; H200 fit 0.81
    matrix_floor_us: float = 3.1  # H100 3.06, H200 3.17: aiconfigurator's GEMM tables, m = 1, own fit
    attention_efficiency: float = 0.91  # FlashAttention-3 on H200, 32 sequences of 16k: the same tables
    attention_floor_us: float = 13.5  # a layer, at one sequence: the same tables
    flops_efficiency: float = 0.75  # plateau 0.73-0.88 at 1024 tokens and more on H100: the same tables
    misc_us: float = 8.0  # a layer's norms, rotations and activations: assumed
    host_step_us: float = 1000.0  # scheduling, sampling, launching a step: assumed
    host_sequence_us: float = 10.0  # per sequence and step (sampling, detokenising): assumed
    host_request_us: float = 0.0  # per request, once: only a calibration says
    point_to_point_us: float = 10.0  # aiconfigurator's default
    routing_imbalance: float = 1.2  # busiest expert GPU over the mean, 1.1-1.5: assumed, middle
    all_reduce_graph_us: Mapping[int, float] | None = None
    all_reduce_eager_us: Mapping[int, float] | None = None
    all_reduce_gb_per_s: Mapping[int, float] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, Mapping) and value is not None:
                checks.number(f"hardware.timings.{field.name}", value, minimum=0)

    @classmethod
    def of(cls, hardware: Hardware, *, assumed: Mapping[str, float] | None = None) -> Self:
        """Return the constants of `hardware`; `assumed` replaces speeds that are not known.

        Without fp8 units, fp8 weights are multiplied in bf16. On a GPU whose all-reduce nobody measured the
        latencies are those of an H200, and large messages see half of the link: both assumed.

        Raises:
            ValueError: A speed is neither known nor assumed, or a name in the timings is none.
        """
        own = dict(hardware.timings or {})
        names = tuple(field.name for field in fields(cls))
        for name in own:
            checks.one_of("each name in hardware.timings", name, names)
        speeds: dict[str, object] = {
            "bandwidth_gb_per_s": hardware.bandwidth_gb_per_s,
            "bf16_tflops": hardware.bf16_tflops,
            "fp8_tflops": hardware.fp8_tflops,
            "link_gb_per_s": hardware.interconnect_gb_per_s,
        }
        speeds |= own
        for name, value in (assumed or {}).items():
            if speeds.get(name) is None:
                speeds[name] = value
        unknown = [name for name in ("bandwidth_gb_per_s", "bf16_tflops") if speeds[name] is None]
        if unknown:
            raise ValueError(
                f"the speeds of {hardware.name} are not known ({', '.join(unknown)}): give them as "
                f"+hardware.timings.NAME=, or fit them to runs measured on it, plan.calibrate=DIR"
            )
        return cls(**{name: _by_degree(value) for name, value in speeds.items()})

    def with_values(self, values: Mapping[str, float]) -> Self:
        """Return these constants with `values` in their place."""
        changed: dict[str, Any] = dict(values)
        return replace(self, **changed)

    def matrix_bytes_per_s(self) -> float:
        return self.bandwidth_gb_per_s * 1e9 * self.matrix_efficiency

    def cache_bytes_per_s(self) -> float:
        return self.bandwidth_gb_per_s * 1e9 * self.attention_efficiency

    def flops_per_s(self, *, is_fp8: bool) -> float:
        tflops = self.fp8_tflops if is_fp8 and self.fp8_tflops else self.bf16_tflops
        return tflops * 1e12 * self.flops_efficiency


def _by_degree(value: Any) -> Any:
    """Return a table with whole numbers as keys; YAML and Hydra may hand them over as text."""
    return {int(key): float(v) for key, v in value.items()} if isinstance(value, Mapping) else value
