"""Thinking on the real engine: a tiny random checkpoint whose think markers are special tokens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.families.families import BY_NAME, configured, save_tokenizer
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import mathematics
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter
from tts_eval.records import Finish, Problem

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
PROBLEM = Problem("p", "What is 6 x 7?", "42")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A DeepSeek-R1 of two layers that never ends its thinking by itself, nor its turn."""
    family, folder = BY_NAME["deepseek_r1"], tmp_path_factory.mktemp("thinking")
    save_tokenizer(family, folder)
    codec = Codec(replace(configured(family, folder), temperature=0.0, dtype="float32"))
    num_tokens = len(codec._tokenizer)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=num_tokens,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        initializer_range=0.2,  # wide enough that a greedy trace does not repeat itself
        eos_token_id=codec._tokenizer.eos_token_id,
        bos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for token_id in codec._tokenizer.added_tokens_decoder:
            model.lm_head.weight[token_id] = 0.0  # never the likeliest
    model.save_pretrained(folder)
    async with VllmEngine(ends_thinking=True).start(codec.model) as engine:
        yield Served(codec.model, codec, engine)


@pytest.fixture
def llm(served: Served) -> MeteredModel:
    return MeteredModel({"policy": served}, Meter("p", time.monotonic), mathematics(), run_seed=0)


async def test_a_trace_cut_while_it_thinks_has_no_answer(llm: MeteredModel) -> None:
    [trace] = await llm.extend(llm.start(PROBLEM), max_tokens=16)
    assert (trace.finish, trace.num_tokens, trace.is_thinking) == (Finish.LENGTH, 16, True)
    assert (trace.said, llm.answer(trace)) == ("", None)
    assert llm.meter.spend().num_thinking_tokens == 16


async def test_text_does_not_depend_on_whether_stop_strings_are_set(llm: MeteredModel) -> None:
    [free] = await llm.extend(llm.start(PROBLEM), max_tokens=64)
    [stopped] = await llm.extend(llm.start(PROBLEM), max_tokens=64, stop=["never met", "</think>"])
    assert (free.text, free.token_ids, free.finish) == (stopped.text, stopped.token_ids, stopped.finish)


async def test_the_engine_ends_the_thinking_at_its_cap(llm: MeteredModel) -> None:
    [trace] = await llm.extend(llm.start(PROBLEM), max_tokens=32, max_thinking_tokens=16)
    [end] = llm.served.codec.encode("</think>")
    assert trace.token_ids.index(end) <= 16
    assert trace.answer_start == trace.token_ids.index(end) + 1
    assert "</think>" in trace.text
    assert trace.said
    assert llm.meter.spend().num_thinking_tokens == trace.answer_start
