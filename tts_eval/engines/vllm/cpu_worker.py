"""What vLLM's CPU build gets wrong when it samples with drafts, fixed in the worker's own process.

Its kernel writes each token's temperature, top-k and top-p into a copy that is thrown away, so that drafts
are judged by whatever the memory held: greedy decoding is right, sampling is noise (vLLM issue 55005, open
as of 0.32). vLLM imports this module through `worker_extension_cls`.
"""

from __future__ import annotations

from torch import Tensor
from vllm.v1.sample import rejection_sampler


def expand_batch_to_tokens(
    x: Tensor, cu_num_tokens: Tensor, num_tokens: int, replace_from: float = 0, replace_to: float = 0
) -> Tensor:
    """Repeat `x` [batch] for each token of its row, of which `cu_num_tokens` [batch] is the running sum.

    Where it is `replace_from` it becomes `replace_to`; the result has `num_tokens` values.
    """
    counts = cu_num_tokens.diff(prepend=cu_num_tokens.new_zeros(1))
    expanded = x.repeat_interleave(counts, output_size=num_tokens)
    return expanded.masked_fill(expanded == replace_from, replace_to)


class MendedWorker:
    """Adds no method to vLLM's worker: it is named so that this module is imported there."""


rejection_sampler.expand_batch_to_tokens = expand_batch_to_tokens
