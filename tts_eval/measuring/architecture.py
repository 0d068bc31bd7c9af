"""The sizes of a decoder-only transformer, and what follows from them: parameters and KV-cache bytes.

Weights are the entries of matrices that tokens are multiplied with; parameters are these and embeddings,
norms, biases and attention sinks.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Experts:
    """The mixture-of-experts layers; `shared_ffn_size` adds up the experts that every token visits."""

    num_layers: int
    num_experts: int
    num_active: int
    ffn_size: int
    shared_ffn_size: int
    has_shared_gate: bool
    has_bias: bool

    def num_weights(self, hidden_size: int, *, num_visited: int) -> int:
        """Return the weights of one layer: router, shared experts and `num_visited` others."""
        router = self.num_experts + self.has_shared_gate
        return hidden_size * (router + 3 * (num_visited * self.ffn_size + self.shared_ffn_size))

    def num_biases(self, hidden_size: int, *, num_visited: int) -> int:
        """Return the biases of one layer, router included."""
        return self.has_bias * (self.num_experts + num_visited * (2 * self.ffn_size + hidden_size))


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """Multi-head latent attention (MLA; DeepSeek-V2, arXiv 2405.04434, section 2.1).

    `query_rank` None means that queries are projected in one step.
    """

    query_rank: int | None
    kv_rank: int
    nope_dim: int
    rope_dim: int
    value_dim: int

    @property
    def cache_size(self) -> int:
        """Elements that one token leaves in the cache of a layer: its latent and one rotated key."""
        return self.kv_rank + self.rope_dim

    def num_expansion_weights(self, num_heads: int) -> int:
        """Return the weights that make keys and values out of a token's latent."""
        return self.kv_rank * num_heads * (self.nope_dim + self.value_dim)

    def num_weights(self, hidden_size: int, num_heads: int) -> int:
        """Return the weights of one attention layer."""
        query_size, rank = num_heads * (self.nope_dim + self.rope_dim), self.query_rank
        query = hidden_size * query_size if rank is None else (hidden_size + query_size) * rank
        compression = hidden_size * self.cache_size
        output = num_heads * self.value_dim * hidden_size
        return query + compression + self.num_expansion_weights(num_heads) + output


@dataclass(frozen=True, slots=True)
class Architecture:
    """A decoder-only transformer with gated feed-forward layers.

    `windows` holds one entry a layer: how many tokens a token attends to, itself included, None for all.
    `ffn_size` is that of dense layers, `head_dim` that of queries and keys. A reward model has no lm_head;
    the parameters of the head in its place are not counted.
    """

    hidden_size: int
    vocab_size: int
    ffn_size: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    windows: tuple[int | None, ...]
    latent: LatentAttention | None
    experts: Experts | None
    has_lm_head: bool
    has_tied_embeddings: bool
    has_qkv_bias: bool
    has_output_bias: bool
    has_ffn_bias: bool
    has_qk_norm: bool
    has_sinks: bool

    @property
    def num_layers(self) -> int:
        return len(self.windows)

    @property
    def num_parameters(self) -> int:
        return self._num_parameters(self.experts.num_experts if self.experts else 0)

    @property
    def num_active_parameters(self) -> int:
        """Parameters less the experts that a token does not visit; both embeddings are included."""
        return self._num_parameters(self.experts.num_active if self.experts else 0)

    @property
    def num_active_parameters_excl_embedding(self) -> int:
        """Active parameters less the input embedding, which is looked up, unless it serves as lm_head too."""
        is_only_looked_up = not (self.has_lm_head and self.has_tied_embeddings)
        return self.num_active_parameters - is_only_looked_up * self.vocab_size * self.hidden_size

    @property
    def num_active_layer_weights(self) -> int:
        """Weights of all layers that one token is multiplied with."""
        return self._num_layer_weights(self.experts.num_active if self.experts else 0)

    @property
    def num_lm_head_weights(self) -> int:
        return self.has_lm_head * self.vocab_size * self.hidden_size

    def kv_bytes_per_token(self, bytes_per_element: int) -> int:
        """Return the KV-cache bytes of a token that lies within the window of every layer."""
        return self.kv_bytes(1, bytes_per_element=bytes_per_element)

    def kv_bytes(self, num_tokens: int, *, bytes_per_element: int) -> int:
        """Return the KV-cache bytes of one sequence; a layer keeps no more tokens than its window."""
        num_kept = sum(num_tokens if window is None else min(num_tokens, window) for window in self.windows)
        return num_kept * self.cache_size * bytes_per_element

    @property
    def cache_size(self) -> int:
        """Elements that one token leaves in the KV cache of a layer."""
        return self.latent.cache_size if self.latent else 2 * self.num_kv_heads * self.head_dim

    @property
    def num_dense_layers(self) -> int:
        """Layers without routed experts."""
        return self.num_layers - (self.experts.num_layers if self.experts else 0)

    @property
    def num_attention_weights(self) -> int:
        """Weights of the attention of one layer."""
        if self.latent:
            return self.latent.num_weights(self.hidden_size, self.num_heads)
        return 2 * self.hidden_size * (self.num_heads + self.num_kv_heads) * self.head_dim

    def _num_parameters(self, num_visited: int) -> int:
        num_embeddings = 2 if self.has_lm_head and not self.has_tied_embeddings else 1
        embeddings = num_embeddings * self.vocab_size * self.hidden_size
        return embeddings + self._num_layer_weights(num_visited) + self._num_vector_entries(num_visited)

    def _num_layer_weights(self, num_visited: int) -> int:
        dense = 3 * self.hidden_size * self.ffn_size
        weights = self.num_layers * self.num_attention_weights + self.num_dense_layers * dense
        if self.experts:
            sparse = self.experts.num_weights(self.hidden_size, num_visited=num_visited)
            weights += self.experts.num_layers * sparse
        return weights

    def _num_vector_entries(self, num_visited: int) -> int:
        if self.latent:
            ranks = (self.latent.query_rank or 0) + self.latent.kv_rank
            qkv_bias, inner_norms = ranks + self.latent.rope_dim, ranks
        else:
            qkv_bias = (self.num_heads + 2 * self.num_kv_heads) * self.head_dim
            inner_norms = 2 * self.head_dim * self.has_qk_norm
        biases = self.has_qkv_bias * qkv_bias + self.has_output_bias * self.hidden_size
        sinks = self.has_sinks * self.num_heads
        final_norm = self.hidden_size
        entries = self.num_layers * (2 * self.hidden_size + inner_norms + biases + sinks) + final_norm
        entries += self.num_dense_layers * self.has_ffn_bias * (2 * self.ffn_size + self.hidden_size)
        if self.experts:
            sparse = self.experts.num_biases(self.hidden_size, num_visited=num_visited)
            entries += self.experts.num_layers * sparse
        return entries
