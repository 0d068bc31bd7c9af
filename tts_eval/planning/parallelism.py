"""Ways of spreading one model over the GPUs of a node: data, tensor, pipeline and expert parallel.

Heads, layers and experts are looked at here; whether a plan fits in memory is `capacity`'s job.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tts_eval.measuring.architecture import Architecture


@dataclass(frozen=True, slots=True, order=True)
class Plan:
    """Degrees of parallelism; `dp` x `tp` x `pp` GPUs.

    `ep` 1 cuts experts like any other matrix, over the `tp` GPUs of each replica on its own. Otherwise `ep`
    is `dp` x `tp` (vLLM's `enable_expert_parallel`): whole experts lie on all of these GPUs, and the
    replicas, which still have attention and KV cache each for itself, step together.
    """

    dp: int
    tp: int
    pp: int
    ep: int = 1

    @property
    def num_gpus(self) -> int:
        return self.dp * self.tp * self.pp

    @property
    def num_engines(self) -> int:
        """Replicas that step independently of one another."""
        return 1 if self.is_coupled else self.dp

    @property
    def is_coupled(self) -> bool:
        """Whether the replicas share their experts, and so their steps."""
        return self.ep > 1 and self.dp > 1

    @property
    def name(self) -> str:
        degrees = {"DP": self.dp, "TP": self.tp, "PP": self.pp, "EP": self.ep}
        parts = [f"{letters}{degree}" for letters, degree in degrees.items() if degree > 1]
        return "x".join(parts) or "1 GPU"


def plans(num_gpus: int, architecture: Architecture) -> Iterator[Plan]:
    """Yield every way of using all of `num_gpus`; expert parallel ones only for a mixture of experts."""
    for tp in _divisors(num_gpus):
        for pp in _divisors(num_gpus // tp):
            dp = num_gpus // (tp * pp)
            yield Plan(dp, tp, pp)
            if architecture.experts is not None and dp * tp > 1:
                yield Plan(dp, tp, pp, dp * tp)


def why_invalid(plan: Plan, architecture: Architecture) -> str | None:
    """Return why an engine would refuse `plan` for its shapes; None where it would not."""
    num_heads, num_kv_heads, tp = architecture.num_heads, architecture.num_kv_heads, plan.tp
    if num_heads % tp:
        return f"TP{tp} does not divide {num_heads} attention heads"
    if architecture.latent is None and num_kv_heads % tp and tp % num_kv_heads:
        return f"TP{tp} neither divides {num_kv_heads} KV heads nor is a multiple of them"
    if architecture.num_dense_layers and architecture.ffn_size % tp:
        return f"TP{tp} does not divide the feed-forward size {architecture.ffn_size}"
    if plan.pp > architecture.num_layers:
        return f"PP{plan.pp} is more than {architecture.num_layers} layers"
    experts = architecture.experts
    if experts is not None:
        if plan.ep == 1 and experts.ffn_size % tp:
            return f"TP{tp} does not divide the experts' size {experts.ffn_size}"
        if plan.ep > experts.num_experts:
            return f"EP{plan.ep} is more than {experts.num_experts} experts"
    return None


def stage_layers(num_layers: int, num_stages: int) -> list[range]:
    """Return the layers of each pipeline stage, divided as vLLM does (`get_pp_indices`).

    What does not divide goes to the stages before the last, from its end: the last one has the lm_head.
    """
    sizes = [num_layers // num_stages] * num_stages
    for i in range(num_layers % num_stages):
        sizes[-2 - i] += 1
    starts = [sum(sizes[:i]) for i in range(num_stages)]
    return [range(start, start + size) for start, size in zip(starts, sizes, strict=True)]


def _divisors(number: int) -> list[int]:
    return [i for i in range(1, number + 1) if number % i == 0]
