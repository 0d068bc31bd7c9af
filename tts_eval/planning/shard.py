"""What one GPU of a pipeline stage holds: its weights by kind, and the cache of its layers.

A model that mixes dense layers and experts is taken to have the dense ones first, as DeepSeek.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tts_eval.measuring.architecture import Architecture
from tts_eval.planning.parallelism import Plan, stage_layers
from tts_eval.planning.precision import Precision


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of a model on one GPU, all GPUs of a stage being alike.

    `expert_bytes` are the routed experts, `dense_bytes` all other matrices that every token is multiplied
    with (lm_head, which only sampled tokens are, apart), `lookup_bytes` embeddings and vectors. `windows`
    counts the layers by how many tokens they keep (None: all). `token_bytes` is a token's cache in one layer.
    """

    num_layers: int
    num_expert_layers: int
    dense_bytes: float
    expert_bytes: float
    lm_head_bytes: float
    lookup_bytes: float
    num_dense_weights: float
    num_expert_weights_visited: float
    num_lm_head_weights: float
    token_bytes: float
    windows: Mapping[int | None, int]

    @property
    def weight_bytes(self) -> float:
        return self.dense_bytes + self.expert_bytes + self.lm_head_bytes + self.lookup_bytes

    def kv_bytes(self, num_tokens: float) -> float:
        """Return the cache of one sequence of `num_tokens` tokens on this GPU."""
        num_kept = sum(n * (num_tokens if w is None else min(num_tokens, w)) for w, n in self.windows.items())
        return num_kept * self.token_bytes


def shards(architecture: Architecture, plan: Plan, precision: Precision, *, kv_bytes: float) -> list[Shard]:
    """Return the shard of each pipeline stage; `kv_bytes` are those of one element of the cache.

    Keys and values are replicated where there are more GPUs than KV heads; latent attention keeps the whole
    cache, and the projections into it, on every GPU of a replica.
    """
    h, tp, experts = architecture.hidden_size, plan.tp, architecture.experts
    cache_size = architecture.cache_size / (1 if architecture.latent else min(tp, architecture.num_kv_heads))
    stages = stage_layers(architecture.num_layers, plan.pp)
    found = []
    for number, layers in enumerate(stages):
        is_first, is_last = number == 0, number == len(stages) - 1
        num_sparse = sum(layer >= architecture.num_dense_layers for layer in layers) if experts else 0
        dense = len(layers) * _attention_weights(architecture, tp)
        dense += (len(layers) - num_sparse) * 3 * h * architecture.ffn_size / tp
        routed = visited = router_bytes = 0.0
        if experts:
            of_one = 3 * h * experts.ffn_size
            on_gpu = -(-experts.num_experts // plan.ep) if plan.ep > 1 else experts.num_experts / tp
            routed = num_sparse * on_gpu * of_one
            visited = num_sparse * experts.num_active * of_one / tp
            dense += num_sparse * 3 * h * experts.shared_ffn_size / tp
            router_bytes = num_sparse * h * experts.num_experts * precision.other_bytes
        vocabulary = architecture.vocab_size * h / tp
        lm_head = is_last * architecture.num_lm_head_weights / tp
        is_tied_here = architecture.has_tied_embeddings and is_last  # lm_head is the embedding
        vectors = len(layers) * 2 * h  # norms; biases are too few to matter
        lookup = (vocabulary if is_first and not is_tied_here else 0) + vectors
        found.append(
            Shard(
                num_layers=len(layers),
                num_expert_layers=num_sparse,
                dense_bytes=dense * precision.layer_bytes + router_bytes,
                expert_bytes=routed * precision.expert_bytes,
                lm_head_bytes=lm_head * precision.other_bytes,
                lookup_bytes=lookup * precision.other_bytes,
                num_dense_weights=dense,
                num_expert_weights_visited=visited,
                num_lm_head_weights=lm_head,
                token_bytes=cache_size * kv_bytes,
                windows=Counter(architecture.windows[layer] for layer in layers),
            )
        )
    return found


def _attention_weights(architecture: Architecture, tp: int) -> float:
    """Weights of one layer's attention on one of `tp` GPUs."""
    h, latent = architecture.hidden_size, architecture.latent
    if latent:
        compression = h * latent.cache_size + h * (latent.query_rank or 0)
        return compression + (architecture.num_attention_weights - compression) / tp
    head = h * architecture.head_dim
    kv_heads = max(1.0, architecture.num_kv_heads / tp)
    return 2 * head * (architecture.num_heads / tp + kv_heads)
