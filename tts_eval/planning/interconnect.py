"""How long the GPUs of a node take to exchange a message, as alpha + bytes / bandwidth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tts_eval.planning.timings import US, Timings

# Latencies in CUDA graphs and eager, H200 SXM: aiconfigurator's tables (systems/data/h200_sxm/comm/vllm).
GRAPH_US = {2: 4.5, 4: 4.8, 8: 5.4}
EAGER_US = {2: 21.5, 4: 21.5, 8: 21.5}
LINK_SHARE = 0.5  # what a large all-reduce sees of the link: assumed; H100 and H200 measure 0.52-0.71


@dataclass(frozen=True, slots=True)
class Interconnect:
    """The links between the GPUs of one node; `has_graphs` says that kernels are launched in CUDA graphs."""

    timings: Timings
    has_graphs: bool

    def all_reduce_s(self, num_bytes: float, *, num_gpus: int) -> float:
        """Return the seconds in which `num_gpus` add up a message of `num_bytes`."""
        if num_gpus == 1:
            return 0.0
        table = self.timings.all_reduce_graph_us if self.has_graphs else self.timings.all_reduce_eager_us
        alpha_us = at_degree(table or (GRAPH_US if self.has_graphs else EAGER_US), num_gpus)
        if self.timings.all_reduce_gb_per_s:
            gb_per_s = at_degree(self.timings.all_reduce_gb_per_s, num_gpus)
        else:
            gb_per_s = LINK_SHARE * self._link_gb_per_s()
        return alpha_us * US + num_bytes / (gb_per_s * 1e9)

    def all_to_all_s(self, num_bytes: float, *, num_gpus: int) -> float:
        """Return the seconds in which each of `num_gpus` sends `num_bytes` to where they belong."""
        if num_gpus == 1:
            return 0.0
        sent = num_bytes * (num_gpus - 1) / num_gpus
        return self.timings.point_to_point_us * US + sent / (self._link_gb_per_s() * 1e9)

    def send_s(self, num_bytes: float) -> float:
        """Return the seconds in which one GPU hands `num_bytes` to the next stage."""
        return self.timings.point_to_point_us * US + num_bytes / (self._link_gb_per_s() * 1e9)

    def _link_gb_per_s(self) -> float:
        if not self.timings.link_gb_per_s:
            raise ValueError("hardware.interconnect_gb_per_s must be known for more than one GPU")
        return self.timings.link_gb_per_s


def at_degree(table: Mapping[int, float], num_gpus: int) -> float:
    """Return the entry for `num_gpus`, or that of the nearest degree above it, or else of the largest."""
    degrees = sorted(table)
    return table[next((degree for degree in degrees if degree >= num_gpus), degrees[-1])]
