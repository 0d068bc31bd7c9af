"""The sizes of the five pocket models, as Qwen2 configurations.

Head sizes are 32: vLLM's CPU attention takes no smaller one. Embeddings are not tied: else a number that is
only ever a result would be known as a factor too.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import Qwen2Config, Qwen2Model
from transformers.models.qwen2.modeling_qwen2 import Qwen2Attention

from pocket import tokenizer as tok

SHARPNESS = 4.0
EMBEDDING_SCALE = 0.05
MATCH_GAIN = 2.5
QUIET = 0.1  # of what else the first layer writes, lest it drown the tokens
FASTEST_TURN = 0.05  # radians a token
RECENCY_TURNS = (6, 7, 8)  # rotary pairs of .03 to .01 radians a token: half a turn is longer than a list
RECENCY_GAIN = 5.5
SIZES: dict[str, tuple[int, int, int]] = {  # hidden, layers, feed-forward
    "reasoner": (128, 4, 384),
    "weak": (96, 3, 256),
    "draft": (64, 2, 128),
    "prm": (192, 6, 384),
    "orm": (192, 6, 384),
}
FAST_WRITER, FAST_JUDGE = (64, 2, 128), (192, 4, 128)
JUDGE_LAYERS = 2  # the reward models have that many more than the reasoner, and room for a vocabulary


def config_of(name: str, *, fast: bool = False) -> Qwen2Config:
    """Return the configuration of one of the five; `fast` makes it smaller, for tests."""
    is_judge = name in ("prm", "orm")
    hidden, layers, feed_forward = (FAST_JUDGE if is_judge else FAST_WRITER) if fast else SIZES[name]
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


def rotary_frequencies(model: Qwen2Model) -> torch.Tensor:
    """Return how many radians a token each pair of a head turns [head_dim / 2]."""
    size = model.layers[0].self_attn.head_dim
    theta: float = model.config.rope_parameters["rope_theta"]
    frequencies: torch.Tensor = theta ** (-torch.arange(0, size, 2) / size)
    return frequencies


def look_back(
    model: Qwen2Model,
    attention: Qwen2Attention,
    *,
    key_head: int,
    query_head: int,
    offset: int,
    sharpness: float = SHARPNESS,
) -> None:
    """Let a head attend `offset` tokens back whatever stands there, through its biases alone."""
    size, frequencies = attention.head_dim, rotary_frequencies(model)
    peak = torch.full((size // 2,), sharpness)
    keys, queries = (slice(head * size, (head + 1) * size) for head in (key_head, query_head))
    angles = -offset * frequencies  # a query at position p looks like a key at p - offset
    attention.k_proj.weight[keys] = 0
    attention.k_proj.bias[keys] = torch.cat([peak, torch.zeros(size // 2)])
    attention.q_proj.weight[queries] = 0
    attention.q_proj.bias[queries] = torch.cat([peak * angles.cos(), peak * angles.sin()])


def start_copying(model: Qwen2Model) -> None:
    """Let the first two layers start out with induction heads, on which copying a list rests.

    Two heads of the first layer attend one and two tokens back, through their biases alone, and write down
    what stands there; a head of the second layer looks for the token that stood behind the current one, and
    another for what stood behind the current two (a number can be in a list twice). Both prefer what is near.
    Finding these by itself is most of what a model this small spends its training on.
    """
    first, second = model.layers[0].self_attn, model.layers[1].self_attn
    size, width = first.head_dim, model.config.hidden_size
    frequencies = rotary_frequencies(model)
    read = torch.linalg.qr(torch.randn(width, size))[0].T  # what a head takes of a token
    write = torch.linalg.qr(torch.randn(width, 2 * size))[0]  # where each head puts it
    with torch.no_grad():
        nn.init.normal_(model.embed_tokens.weight, std=EMBEDDING_SCALE)
        first.v_proj.weight[:size] = read
        first.o_proj.weight *= QUIET
        model.layers[0].mlp.down_proj.weight *= QUIET
        for head, offset in enumerate((1, 2)):
            rows = slice(head * size, (head + 1) * size)
            look_back(model, first, key_head=0, query_head=head, offset=offset)
            first.o_proj.weight[:, rows] = write[:, rows] * 2 * EMBEDDING_SCALE
        slow = frequencies.repeat(2) < FASTEST_TURN  # what the distance hardly turns can compare contents
        second.k_proj.weight[:size] = MATCH_GAIN * slow[:, None] * write[:, :size].T
        second.q_proj.weight[:size] = MATCH_GAIN * slow[:, None] * read
        _prefer_recent(second, 0, 0)
        if model.config.num_key_value_heads == 1:
            return
        turn = torch.linalg.qr(torch.randn(size, size))[0]  # keeps the two matches apart
        behind, before = write[:, :size].T, turn @ write[:, size:].T
        own = slice(size, 2 * size)  # the second key-value head; the first of its two query heads
        asks = slice(2 * size, 3 * size)
        second.k_proj.weight[own] = MATCH_GAIN * slow[:, None] * (behind + before)
        second.q_proj.weight[asks] = MATCH_GAIN * slow[:, None] * (read + turn @ behind / 2)
        _prefer_recent(second, 1, 2)


def _prefer_recent(attention: Qwen2Attention, key_head: int, query_head: int) -> None:
    """Among equal matches let the nearest win: the list just before is valid, all others are stale."""
    size = attention.head_dim
    for turn in RECENCY_TURNS:
        for row in (turn, turn + size // 2):
            attention.k_proj.weight[key_head * size + row] = 0
            attention.q_proj.weight[query_head * size + row] = 0
        attention.k_proj.bias[key_head * size + turn] = RECENCY_GAIN
        attention.q_proj.bias[query_head * size + turn] = RECENCY_GAIN
