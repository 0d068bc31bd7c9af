"""Layer 2, step time: how long one engine takes to give every running sequence its next token.

A roofline with floors: matrices and attention each take the longer of moving their bytes and computing, on
top of a launch floor; collectives, the host and the stages of a pipeline are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from tts_eval.measuring.architecture import Architecture
from tts_eval.planning.interconnect import Interconnect
from tts_eval.planning.parallelism import Plan
from tts_eval.planning.precision import Precision
from tts_eval.planning.shard import Shard
from tts_eval.planning.timings import US, Timings

DENSE_MATRICES = 4  # a layer: queries with keys and values, output, gate with up, down
LATENT_MATRICES = 7  # queries and keys-values in two steps each, output, and the two of the feed-forward part
SPARSE_MATRICES = 3  # on top, in a layer with experts: router and the shared experts' two
DISPATCH_BYTES = 1  # tokens go to their experts in fp8 and come back in 16 bits (DeepEP)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one engine works on in a step.

    Each of `num_decoding` sequences gets `num_query_tokens` queries (1, or 1 + drafted ones to verify) on
    `num_context_tokens` in all; prompts add `num_prefill_tokens`, which see `num_prefill_pairs` pairs of
    query and key a layer (windows left out), and of which `num_admitted` are new calls.
    """

    num_decoding: float
    num_context_tokens: float
    num_prefill_tokens: float = 0.0
    num_prefill_pairs: float = 0.0
    num_query_tokens: int = 1
    num_admitted: int = 0

    @property
    def num_tokens(self) -> float:
        return self.num_decoding * self.num_query_tokens + self.num_prefill_tokens


@dataclass(frozen=True, slots=True)
class StepTime:
    """The seconds of a step, by what they are spent on."""

    weights_s: float  # reading matrices
    cache_s: float  # reading the KV cache
    compute_s: float  # multiplying, where that takes longer than reading
    launch_s: float  # floors of kernels
    interconnect_s: float  # all-reduce and hand-over between stages
    routing_s: float  # tokens to experts and back, and waiting for the busiest of these
    host_s: float

    @property
    def total_s(self) -> float:
        moving_s = self.weights_s + self.cache_s + self.interconnect_s + self.routing_s
        return moving_s + self.compute_s + self.launch_s + self.host_s


PARTS = tuple(field.name for field in fields(StepTime))


@dataclass(frozen=True, slots=True)
class StepModel:
    """The step time of one engine; `stages` are the shards of its pipeline."""

    architecture: Architecture
    plan: Plan
    precision: Precision
    stages: Sequence[Shard]
    timings: Timings
    has_graphs: bool = True

    def step_time(self, batch: Batch) -> StepTime:
        """Return the time until each sequence of `batch` has its next token.

        A pipeline works on as many micro-batches as it has stages, so each sequence waits for all of them at
        the slowest stage, which reads its weights again for every one (GPipe's bubble at the ends left out).
        """
        num_stages = len(self.stages)
        part = 1 / (num_stages * (self.plan.dp if self.plan.is_coupled else 1))
        num_decoding = batch.num_decoding * part
        if 0 < num_decoding < 1:
            part /= num_decoding  # a sequence cannot be divided: the rest of the pipeline idles
        shard = max(self.stages, key=lambda stage: stage.weight_bytes - stage.lookup_bytes)
        stage = self._stage_time(shard, batch, part)
        return StepTime(*(num_stages * getattr(stage, part_name) for part_name in PARTS))

    def _stage_time(self, shard: Shard, batch: Batch, part: float) -> StepTime:
        """Return the time of one stage on `part` of the batch: one micro-batch of one replica."""
        timings, num_tokens = self.timings, batch.num_tokens * part
        num_sampled = batch.num_decoding * part * batch.num_query_tokens
        reading_s = self._bytes_read(shard, num_tokens) / timings.matrix_bytes_per_s()
        weights = shard.num_dense_weights * num_tokens + shard.num_lm_head_weights * num_sampled
        experts = shard.num_expert_weights_visited * num_tokens
        flops_per_s = timings.flops_per_s(is_fp8=self.precision.is_fp8)
        multiplying_s = 2 * (weights + experts) / flops_per_s
        cache_s, attention_s = self._attention_s(shard, batch, part)
        num_matrices = LATENT_MATRICES if self.architecture.latent else DENSE_MATRICES
        num_kernels = shard.num_layers * num_matrices + shard.num_expert_layers * SPARSE_MATRICES
        layer_floor_us = timings.attention_floor_us + timings.misc_us
        compute_s = max(0.0, multiplying_s - reading_s) + max(0.0, attention_s - cache_s)
        return StepTime(
            weights_s=reading_s,
            cache_s=cache_s,
            compute_s=compute_s,
            launch_s=(num_kernels * timings.matrix_floor_us + shard.num_layers * layer_floor_us) * US,
            interconnect_s=self._interconnect_s(shard, num_tokens),
            routing_s=self._routing_s(shard, num_tokens, 2 * experts / flops_per_s),
            host_s=timings.host_step_us * US
            + timings.host_sequence_us * US * batch.num_decoding * part
            + timings.host_request_us * US * batch.num_admitted * part,
        )

    def _bytes_read(self, shard: Shard, num_tokens: float) -> float:
        """Bytes of matrices that a step touches: of the experts, those that its tokens are routed to.

        Routing is taken to be uniform: an expert is left out with probability (1 - k/E) a token.
        """
        experts = self.architecture.experts
        touched = 0.0
        if experts is not None:
            num_routed = num_tokens * (self.plan.dp if self.plan.is_coupled else 1)
            touched = 1 - (1 - experts.num_active / experts.num_experts) ** num_routed
        return shard.dense_bytes + shard.lm_head_bytes + shard.expert_bytes * touched

    def _attention_s(self, shard: Shard, batch: Batch, part: float) -> tuple[float, float]:
        """Return the seconds of reading the cache, and those of computing attention."""
        num_decoding = batch.num_decoding * part
        mean_context = batch.num_context_tokens / batch.num_decoding if batch.num_decoding else 0.0
        cache_bytes = num_decoding * shard.kv_bytes(mean_context) if num_decoding else 0.0
        latent, num_heads = self.architecture.latent, self.architecture.num_heads / self.plan.tp
        sizes = latent.cache_size + latent.kv_rank if latent else 2 * self.architecture.head_dim
        num_keys = cache_bytes / shard.token_bytes * batch.num_query_tokens
        decode_flops = 2 * num_heads * sizes * num_keys
        head = (latent.nope_dim + latent.rope_dim + latent.value_dim) if latent else sizes
        prefill_flops = 2 * num_heads * head * shard.num_layers * batch.num_prefill_pairs * part
        seconds = (decode_flops + prefill_flops) / self.timings.flops_per_s(is_fp8=False)
        return cache_bytes / self.timings.cache_bytes_per_s(), seconds

    def _interconnect_s(self, shard: Shard, num_tokens: float) -> float:
        """Seconds of the all-reduces after attention and feed-forward part, and of the hand-over."""
        links = Interconnect(self.timings, self.has_graphs)
        message = num_tokens * self.architecture.hidden_size * self.precision.activation_bytes
        num_reduces = 2 * shard.num_layers + 2  # and one each at embedding and lm_head
        if self.plan.is_coupled:
            num_reduces -= shard.num_expert_layers  # these exchange tokens instead
        seconds = num_reduces * links.all_reduce_s(message, num_gpus=self.plan.tp)
        return seconds + (links.send_s(message) if len(self.stages) > 1 else 0.0)

    def _routing_s(self, shard: Shard, num_tokens: float, experts_s: float) -> float:
        """Seconds of sending tokens to their experts and back, and of waiting for the busiest GPU."""
        experts = self.architecture.experts
        if experts is None or self.plan.ep == 1:
            return 0.0
        waiting_s = (self.timings.routing_imbalance - 1) * experts_s
        if not self.plan.is_coupled:
            return waiting_s
        links = Interconnect(self.timings, self.has_graphs)
        message = num_tokens / self.plan.tp * experts.num_active * self.architecture.hidden_size
        exchange_s = links.all_to_all_s(message * DISPATCH_BYTES, num_gpus=self.plan.ep)
        exchange_s += links.all_to_all_s(message * self.precision.activation_bytes, num_gpus=self.plan.ep)
        return waiting_s + shard.num_expert_layers * exchange_s * self.timings.routing_imbalance
