"""The sizes of the five pocket models, as Qwen2 configurations.

Knows nothing of weights or training. Head sizes are 32: vLLM's CPU attention takes no smaller one.
Embeddings are not tied: else a number that is only ever a result would be known as a factor too.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import Qwen2Config, Qwen2Model

from pocket import tokenizer as tok

SHARPNESS = 4.0
EMBEDDING_SCALE = 0.05
MATCH_GAIN = 2.5
QUIET = 0.1  # of what else the first layer writes, lest it drown the tokens
FASTEST_TURN = 0.05  # radians a token
SIZES: dict[str, tuple[int, int, int]] = {  # hidden, layers, feed-forward
    "reasoner": (128, 4, 384),
    "weak": (96, 3, 256),
    "draft": (64, 2, 128),
    "prm": (128, 5, 384),
    "orm": (128, 5, 384),
}


def config_of(name: str, *, fast: bool = False) -> Qwen2Config:
    """Return the configuration of one of the five; `fast` halves the width, for tests."""
    hidden, layers, feed_forward = SIZES[name]
    if fast:
        hidden, layers, feed_forward = 64, min(layers, 2), 128
    heads = hidden // 32
    return Qwen2Config(
        vocab_size=len(tok.VOCABULARY),
        hidden_size=hidden,
        intermediate_size=feed_forward,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=max(1, heads // 2),
        max_position_embeddings=1024,
        tie_word_embeddings=False,
        pad_token_id=tok.PAD_ID,
        eos_token_id=tok.EOS_ID,
        bos_token_id=None,
        initializer_range=hidden**-0.5 / 2,
    )


def start_copying(model: Qwen2Model) -> None:
    """Let the first two layers start out with induction heads, on which copying a list rests.

    Two heads of the first layer attend one and two tokens back, through their biases alone, and write down
    what stands there; a head of the second layer looks for the token that stood behind the current one.
    Finding these by itself is most of what a model this small spends its training on.
    """
    first, second = model.layers[0].self_attn, model.layers[1].self_attn
    size, width = first.head_dim, model.config.hidden_size
    frequencies = model.config.rope_parameters["rope_theta"] ** (-torch.arange(0, size, 2) / size)
    peak = torch.full((size // 2,), SHARPNESS)
    read = torch.linalg.qr(torch.randn(width, size))[0].T  # what a head takes of a token
    write = torch.linalg.qr(torch.randn(width, 2 * size))[0]  # where each head puts it
    with torch.no_grad():
        nn.init.normal_(model.embed_tokens.weight, std=EMBEDDING_SCALE)
        first.k_proj.weight[:size] = 0
        first.k_proj.bias[:size] = torch.cat([peak, torch.zeros(size // 2)])
        first.v_proj.weight[:size] = read
        first.o_proj.weight *= QUIET
        model.layers[0].mlp.down_proj.weight *= QUIET
        for head, offset in enumerate((1, 2)):
            rows = slice(head * size, (head + 1) * size)
            angles = -offset * frequencies  # a query at position p looks like a key at p - offset
            first.q_proj.weight[rows] = 0
            first.q_proj.bias[rows] = torch.cat([peak * angles.cos(), peak * angles.sin()])
            first.o_proj.weight[:, rows] = write[:, rows] * 2 * EMBEDDING_SCALE
        slow = frequencies.repeat(2) < FASTEST_TURN  # what the distance hardly turns can compare contents
        second.k_proj.weight[:size] = MATCH_GAIN * slow[:, None] * write[:, :size].T
        second.q_proj.weight[:size] = MATCH_GAIN * slow[:, None] * read
