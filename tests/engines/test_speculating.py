"""A real engine that drafts: nothing is lost, every draft is counted, priorities and pieces hold."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import torch
from scipy.stats import chisquare
from transformers import LlamaForCausalLM

from tts_eval.check_speculation import differences
from tts_eval.engines.chunked import ChunkedEngine
from tts_eval.engines.protocol import Engine
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.model import Model
from tts_eval.records import Finish, Sampling
from tts_eval.requests import Completion, Request

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

NUM_DRAFTED = 3


def requests(num: int) -> list[Request]:
    rng = random.Random(0)
    return [Request(tuple(rng.choices(range(16, 64), k=30)), Sampling(), max_tokens=60) for _ in range(num)]


async def at_once(engine: Engine, asked: list[Request]) -> list[Completion]:
    return list(await asyncio.gather(*map(engine.generate, asked)))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drafting(tiny: Model, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """An engine of four seats that serves by priority; its draft is the tiny model with noise in its head."""
    folder: Path = tmp_path_factory.mktemp("draft")
    model = LlamaForCausalLM.from_pretrained(tiny.path)
    with torch.no_grad():
        model.lm_head.weight += torch.randn_like(model.lm_head.weight) * 0.15
    model.save_pretrained(folder)
    settings = VllmEngine(
        max_num_seqs=4,
        scheduling_policy="priority",
        speculative_config={
            "method": "draft_model",
            "model": str(folder),
            "num_speculative_tokens": NUM_DRAFTED,
        },
    )
    settings.check(tiny)
    async with settings.start(tiny) as running:
        yield running


async def test_greedy_samples_are_those_without_drafts(engine: Engine, drafting: Engine) -> None:
    asked = requests(20)

    assert differences(await at_once(engine, asked), await at_once(drafting, asked)) == []
    assert engine.facts.is_seeded
    assert not drafting.facts.is_seeded
    assert drafting.facts.settings["speculation"] == "draft_model"


async def test_sampled_tokens_have_the_distribution_of_the_model(tiny: Model, drafting: Engine) -> None:
    """The second token, which the first one drafts, against both steps worked out by a plain forward pass."""
    temperature, num_samples = 0.5, 800
    prompt = requests(1)[0].prompt_ids
    request = Request(prompt, Sampling(temperature=temperature), max_tokens=4)
    samples = await at_once(drafting, [replace(request, seed=seed) for seed in range(num_samples)])
    seen = np.bincount([sample.token_ids[1] for sample in samples if len(sample.token_ids) > 1], minlength=64)

    model = LlamaForCausalLM.from_pretrained(tiny.path)
    size = model.config.vocab_size
    with torch.inference_mode():
        first = (model(torch.tensor([prompt])).logits[0, -1] / temperature).softmax(-1)
        longer = torch.tensor([[*prompt, token] for token in range(size)])
        second = (model(longer).logits[:, -1] / temperature).softmax(-1)
    ended = torch.arange(size) == model.config.eos_token_id
    expected = (first.masked_fill(ended, 0) @ second).double().numpy()
    expected *= seen.sum() / expected.sum()

    often = expected >= 5
    assert often.sum() > 3
    observed = np.append(seen[often], seen[~often].sum())
    assert chisquare(observed, np.append(expected[often], expected[~often].sum())).pvalue > 1e-5


async def test_every_draft_is_counted_per_sample_and_per_place(drafting: Engine) -> None:
    before = drafting.gauges()
    samples = await at_once(drafting, requests(20))
    after = drafting.gauges()

    drafted = after.num_draft_tokens - before.num_draft_tokens
    accepted = after.num_accepted_tokens - before.num_accepted_tokens
    at = [
        late - early
        for late, early in zip(after.num_accepted_tokens_at, before.num_accepted_tokens_at, strict=True)
    ]
    assert 0 < accepted < drafted <= NUM_DRAFTED * (after.num_drafts - before.num_drafts)
    assert len(at) == NUM_DRAFTED
    assert sum(at) == accepted
    assert at == sorted(at, reverse=True)  # a later token is accepted with those before it alone
    if samples[0].num_draft_tokens is not None:  # vLLM tells of single samples from 0.32 on
        assert sum(sample.num_draft_tokens or 0 for sample in samples) == drafted
        assert sum(sample.num_accepted_tokens or 0 for sample in samples) == accepted


async def test_a_lower_priority_is_served_first(drafting: Engine) -> None:
    """Four seats: the one urgent request of 41, asked for last, overtakes those that still wait."""
    finished: list[int] = []

    async def ask(request: Request, number: int) -> None:
        await drafting.generate(request)
        finished.append(number)

    asked = [replace(request, priority=5) for request in requests(41)]
    waiting = [asyncio.create_task(ask(request, number)) for number, request in enumerate(asked[:40])]
    while not finished:
        await asyncio.sleep(0.01)
    await ask(replace(asked[40], priority=0), 40)
    await asyncio.gather(*waiting)

    assert finished.index(40) < 30


async def test_a_sample_in_pieces_is_the_same_sample(engine: Engine) -> None:
    chunked, asked = ChunkedEngine(engine, 16), requests(12)
    whole = await at_once(engine, asked)
    pieces = await at_once(chunked, asked)
    [stop] = {whole[0].text[40:52]}  # more than one token, wherever the pieces end
    stopped = [await each.generate(replace(asked[0], stop=(stop,))) for each in (engine, chunked)]

    assert differences(whole, pieces) == []
    assert [piece.text for piece in pieces] == [sample.text for sample in whole]
    assert {piece.finish for piece in pieces} == {Finish.LENGTH}
    assert (stopped[0].text, stopped[0].token_ids) == (stopped[1].text, stopped[1].token_ids)
    assert stopped[1].finish is Finish.STOP
