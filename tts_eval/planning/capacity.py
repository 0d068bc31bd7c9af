"""Layer 1, capacity: what the weights leave of a GPU's memory for KV cache, and what that holds.

The stage with the least room binds, as in vLLM, where every worker gets as many blocks as the poorest one
can hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.planning.parallelism import Plan
from tts_eval.planning.shard import Shard

GB = 1e9


@dataclass(frozen=True, slots=True)
class Memory:
    """How a GPU's memory is shared out, in decimal GB; `utilization` is the share that an engine may use.

    `overhead_gb` are activations and CUDA graphs, `collectives_gb` the buffers of the collectives where more
    than one GPU takes part. `kv_cache_bytes`, where given, goes before all that.
    """

    total_gb: float | None
    utilization: float
    overhead_gb: float
    collectives_gb: float
    block_size: int
    kv_cache_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """Room for KV cache of one independently stepping engine, in units of the GPU that binds.

    `num_copies` is how many data-parallel replicas the engine couples; each has a cache of its own.
    """

    shard: Shard
    cache_bytes: float
    weight_bytes: float
    block_size: int
    num_copies: int

    def num_tokens(self, length: int = 1) -> float:
        """Return the tokens that fit in sequences of `length`, which matters to sliding windows alone."""
        return self.num_sequences(length) * length

    def num_sequences(self, length: float) -> float:
        """Return how many sequences of `length` tokens fit, in fractions, without rounding to blocks."""
        return self.num_copies * self.cache_bytes / self.shard.kv_bytes(length)

    def num_whole_sequences(self, length: float) -> int:
        """Return how many sequences fit at once when each has grown to `length` tokens, in whole blocks."""
        rounded = math.ceil(length / self.block_size) * self.block_size
        return self.num_copies * int(self.cache_bytes // self.shard.kv_bytes(rounded))

    def longest(self, num_sequences: float) -> float:
        """Return the length at which `num_sequences` fill the cache; infinite if they never do."""
        budget = self.num_copies * self.cache_bytes / num_sequences / self.shard.token_bytes
        length, num_growing, kept = 0.0, self.shard.num_layers, 0.0
        for window in sorted(w for w in self.shard.windows if w is not None):
            at_window = kept + num_growing * (window - length)
            if budget <= at_window:
                break
            kept, length = at_window, float(window)
            num_growing -= self.shard.windows[window]
        if num_growing == 0:
            return math.inf
        return length + (budget - kept) / num_growing


def capacity_of(stages: Sequence[Shard], plan: Plan, memory: Memory) -> Capacity:
    """Return the capacity of one engine of `plan`.

    Raises:
        ValueError: The weights do not fit, or leave no room; the text says by how much.
    """
    rooms = [_room_bytes(shard, plan, memory) for shard in stages]
    room, shard = min(zip(rooms, stages, strict=True), key=lambda pair: pair[0] / pair[1].kv_bytes(1))
    if room <= 0:
        worst = max(stages, key=lambda s: s.weight_bytes)
        assert memory.total_gb is not None
        raise ValueError(
            f"does not fit: {worst.weight_bytes / GB:.1f} GB of weights on a GPU with "
            f"{memory.total_gb:g} GB, of which {memory.utilization:.0%} less overhead are usable"
        )
    num_copies = plan.dp if plan.is_coupled else 1
    heaviest = max(s.weight_bytes for s in stages)
    return Capacity(shard, room, heaviest, memory.block_size, num_copies)


def _room_bytes(shard: Shard, plan: Plan, memory: Memory) -> float:
    if memory.kv_cache_bytes is not None:
        return memory.kv_cache_bytes
    assert memory.total_gb is not None
    overhead_gb = memory.overhead_gb + memory.collectives_gb * (plan.num_gpus > plan.num_engines)
    return GB * (memory.utilization * memory.total_gb - overhead_gb) - shard.weight_bytes
