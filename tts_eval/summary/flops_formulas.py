"""FLOPs of forward passes, from a model's architecture and how many tokens went through.

A multiply-add is two FLOPs; norms, biases, activations, softmax and rotations are left out, as is the look-
up of embeddings. Attention counts the pairs of query and key that causality and windows leave, as fused
kernels compute them; lm_head runs where a token is sampled, not over a prompt.

Sources: weights and attention, Kaplan et al. (arXiv 2001.08361, section 2.1); latent attention, DeepSeek-V2
(arXiv 2405.04434, section 2.1 and appendix C), each pass in the form that vLLM gives it.
"""

from __future__ import annotations

from tts_eval.measuring.architecture import Architecture


def call_flops(
    architecture: Architecture, *, num_prompt_tokens: int, num_cached_tokens: int, num_generated_tokens: int
) -> int:
    """Return the FLOPs of one call as if nothing was drafted or preempted.

    n generated tokens are the prefill of the prompt, which yields the first, and n - 1 decode passes: the
    last token is never fed back.
    """
    return prefill_flops(
        architecture, num_prompt_tokens=num_prompt_tokens, num_cached_tokens=num_cached_tokens
    ) + decode_flops(
        architecture, num_context_tokens=num_prompt_tokens, num_passes=max(num_generated_tokens - 1, 0)
    )


def weights_only_flops(
    architecture: Architecture, *, num_prompt_tokens: int, num_cached_tokens: int, num_generated_tokens: int
) -> int:
    """Return the usual estimate of one call, 2N for every token that was not cached, without attention.

    N is the active parameters without the input embedding. As papers have it, lm_head is charged to prompt
    tokens too, and a pass to the last token.
    """
    num_tokens = num_prompt_tokens - num_cached_tokens + num_generated_tokens
    return 2 * architecture.num_active_parameters_excl_embedding * num_tokens


def prefill_flops(architecture: Architecture, *, num_prompt_tokens: int, num_cached_tokens: int = 0) -> int:
    """Return the FLOPs of the prompt's tokens after the cached prefix, and of lm_head at the last of them.

    Latent attention expands the latents of the whole prompt into keys and values, those of the cached prefix
    too (`forward_mha` in vLLM); a single token is decoded instead. A prompt prefilled in chunks is expanded
    again up to each of them, which is not counted.
    """
    assert 0 <= num_cached_tokens <= num_prompt_tokens
    num_tokens = num_prompt_tokens - num_cached_tokens
    if architecture.latent is None or num_tokens <= 1:
        pair_flops, num_expansion_weights = _decode_pair_flops(architecture), 0
    else:
        latent, num_heads = architecture.latent, architecture.num_heads
        pair_flops = 2 * num_heads * (latent.nope_dim + latent.rope_dim + latent.value_dim)
        num_expansion_weights = architecture.num_layers * latent.num_expansion_weights(num_heads)
    weights_flops = 2 * (
        architecture.num_active_layer_weights * num_tokens
        + num_expansion_weights * num_cached_tokens
        + architecture.num_lm_head_weights
    )
    return weights_flops + pair_flops * _num_pairs(architecture, num_cached_tokens, num_prompt_tokens)


def decode_flops(architecture: Architecture, *, num_context_tokens: int, num_passes: int) -> int:
    """Return the FLOPs of `num_passes` passes of one token each, the first after `num_context_tokens`.

    Latent attention is computed on the latents themselves, the expansion absorbed into queries and outputs
    (`forward_mqa` in vLLM); per token that is as many multiplications by weights.
    """
    num_pairs = _num_pairs(architecture, num_context_tokens, num_context_tokens + num_passes)
    num_weights = architecture.num_active_layer_weights + architecture.num_lm_head_weights
    return 2 * num_weights * num_passes + _decode_pair_flops(architecture) * num_pairs


def rejected_draft_flops(
    architecture: Architecture, *, num_prompt_tokens: int, num_generated_tokens: int, num_rejected_tokens: int
) -> int:
    """Return the model's own FLOPs on drafted tokens that it rejected; add them to those of the call.

    Estimate: where drafts were rejected is not recorded, so each costs the call's mean decode pass. Accepted
    ones cost no more than decoding them.
    """
    if num_rejected_tokens == 0:
        return 0
    num_passes = max(num_generated_tokens - 1, 1)
    decode = decode_flops(architecture, num_context_tokens=num_prompt_tokens, num_passes=num_passes)
    return decode * num_rejected_tokens // num_passes


def recompute_flops(
    architecture: Architecture, *, num_prompt_tokens: int, num_generated_tokens: int, num_preemptions: int
) -> int:
    """Return the FLOPs of prefilling again what preemptions threw away; add them to those of the call.

    Estimate: when it was preempted is not recorded, so each time is taken to be half-way through its tokens,
    with nothing of it left in the prefix cache.
    """
    if num_preemptions == 0:
        return 0
    num_lost_tokens = num_prompt_tokens + num_generated_tokens // 2
    return num_preemptions * prefill_flops(architecture, num_prompt_tokens=num_lost_tokens)


def reread_flops(
    architecture: Architecture, *, num_prompt_tokens: int, num_generated_tokens: int, num_reread_tokens: int
) -> int:
    """Return the FLOPs of reading again what had left the prefix cache between two pieces of a sample.

    Estimate: where the pieces ended is not recorded, so each token is taken to be read again half-way through
    the call, after all that was before it.
    """
    num_context_tokens = num_prompt_tokens + num_generated_tokens // 2
    num_passes = min(num_reread_tokens, num_context_tokens)
    if num_passes == 0:
        return 0
    once = prefill_flops(
        architecture,
        num_prompt_tokens=num_context_tokens,
        num_cached_tokens=num_context_tokens - num_passes,
    )
    return once * num_reread_tokens // num_passes


def draft_flops(
    architecture: Architecture,
    *,
    num_prompt_tokens: int,
    num_cached_tokens: int,
    num_generated_tokens: int,
    num_positions: int,
    num_proposed_tokens: int,
) -> int:
    """Return the FLOPs of a small model that drafts within the engine, over one call.

    `num_positions` are the tokens that go through it after the prompt (see `num_draft_positions`), of which
    `num_proposed_tokens` take lm_head too. Estimate: they are taken to lie at the call's mean length.
    """
    num_decoded = max(num_generated_tokens - 1, 1)
    num_pairs = _num_pairs(architecture, num_prompt_tokens, num_prompt_tokens + num_decoded)
    pair_flops = _decode_pair_flops(architecture) * num_pairs * num_positions // num_decoded
    lm_head_flops = 2 * architecture.num_lm_head_weights
    prefill = prefill_flops(
        architecture, num_prompt_tokens=num_prompt_tokens, num_cached_tokens=num_cached_tokens
    )
    return (
        prefill
        - lm_head_flops
        + 2 * architecture.num_active_layer_weights * num_positions
        + pair_flops
        + lm_head_flops * num_proposed_tokens
    )


def num_draft_positions(*, num_rounds: int, num_draft_tokens: int, num_speculative_tokens: int) -> int:
    """Return how many tokens of one call go through the draft model, those of its prompt aside.

    vLLM drafts after every step of a request (`SpecDecodeBaseProposer.propose`), the first of which reads the
    prompt: so there are `num_rounds` = 1 + the steps that verified a draft. A round first reads again what
    the target has just read (of a verification its first token and all drafted ones, rejected ones too: the
    batch is padded) and the token sampled from it, then makes a pass for each further token. A verification
    of d tokens is thus d + 1 + g of them, g = `num_speculative_tokens`, the round of the prompt g.
    """
    num_verified_tokens = num_draft_tokens + num_rounds - 1
    return num_verified_tokens + num_speculative_tokens * num_rounds


def _decode_pair_flops(architecture: Architecture) -> int:
    """FLOPs of one query and one key in one layer: their product and the value it weighs, over all heads."""
    latent = architecture.latent
    sizes = 2 * architecture.head_dim if latent is None else latent.cache_size + latent.kv_rank
    return 2 * architecture.num_heads * sizes


def _num_pairs(architecture: Architecture, first: int, end: int) -> int:
    """Pairs of query and key in all layers, for the queries at positions `first` to `end` - 1."""
    return sum(
        architecture.windows.count(window)
        * (_num_pairs_before(end, window) - _num_pairs_before(first, window))
        for window in set(architecture.windows)
    )


def _num_pairs_before(end: int, window: int | None) -> int:
    """Pairs up to position `end` - 1: the query at position p sees p + 1 keys, or as many as the window."""
    num_growing = end if window is None else min(end, window)
    return num_growing * (num_growing + 1) // 2 + (end - num_growing) * num_growing
