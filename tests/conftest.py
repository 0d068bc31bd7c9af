"""What tests of several folders share: a tiny random checkpoint, and one real engine that serves it.

The weights are random, so nothing here can be right or wrong about an answer; the end-of-turn token is so
unlikely that samples grow to their full length.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:  # imported where they are used: most tests need neither torch nor an engine
    from tts_eval.engines.protocol import Engine
    from tts_eval.model import Model

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A random Llama of two layers and four heads, with the pocket models' tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from pocket.tokenizer import EOS_ID, PAD_ID, VOCABULARY, build_tokenizer
    from tts_eval.model import Model

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=False,
        initializer_range=0.2,  # wide enough that a greedy trace does not repeat itself
        eos_token_id=EOS_ID,
        pad_token_id=PAD_ID,
        bos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight[EOS_ID] = 0.0  # never the most likely one of 64
    model.save_pretrained(folder)
    build_tokenizer().save_pretrained(folder)
    return Model(
        name="tiny",
        path=str(folder),
        thinking_start="<think>",
        thinking_end="</think>",
        starts_thinking=True,
        temperature=1.0,
        max_model_len=1024,
        dtype="float32",
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(tiny: Model) -> AsyncIterator[Engine]:
    """The one engine of the session; its tests run on the session's event loop."""
    from tts_eval.engines.vllm.settings import VllmEngine

    async with VllmEngine().start(tiny) as running:
        yield running
