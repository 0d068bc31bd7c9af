"""Draw many traces at once from a causal model with plain torch, for training data and tests.

The figures of the models are taken with the real engine instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, Qwen2ForCausalLM

from pocket import tokenizer as tok


@torch.inference_mode()
def sample(
    model: Qwen2ForCausalLM,
    prompts: Sequence[Sequence[int]],
    *,
    temperature: float,
    max_tokens: int,
    generator: torch.Generator,
) -> list[list[int]]:
    """Continue prompts of one length until the end token; temperature 0 is greedy. The end token is kept."""
    ids = torch.tensor(prompts, device=model.device)
    cache = DynamicCache(config=model.config)
    columns: list[Tensor] = []
    done = torch.zeros(len(ids), dtype=torch.bool, device=model.device)
    step = ids
    for _ in range(max_tokens):
        logits = model(input_ids=step, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
        if temperature:
            weights = torch.softmax(logits.cpu() / temperature, dim=-1)
            chosen = torch.multinomial(weights, 1, generator=generator)[:, 0].to(model.device)
        else:
            chosen = logits.argmax(dim=-1)
        columns.append(torch.where(done, tok.PAD_ID, chosen))
        done |= chosen == tok.EOS_ID
        if done.all():
            break
        step = chosen[:, None]
    return [[token for token in row if token != tok.PAD_ID] for row in torch.stack(columns, dim=1).tolist()]
