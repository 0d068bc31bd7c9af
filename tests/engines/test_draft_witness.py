"""A witness for the FLOPs: hooks count the tokens that really go through a model and through its draft."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from tests.engines import counting_worker
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import mathematics
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter
from tts_eval.model import Model
from tts_eval.records import Finish, Trace
from tts_eval.spend import Call
from tts_eval.summary.call_flops import num_read_by_draft, num_rejected, num_tokens_after_end
from tts_eval.summary.drafts import with_drafts
from tts_eval.summary.gauges import rises_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


def draft_of(tiny: Model, folder: Path) -> str:
    """Save the tiny model with noise in its head: a draft that is right now and then."""
    model = LlamaForCausalLM.from_pretrained(tiny.path)
    torch.manual_seed(1)
    with torch.no_grad():
        model.lm_head.weight += torch.randn_like(model.lm_head.weight) * 0.1
    model.save_pretrained(folder)
    return str(folder)


async def counted(engine: Any) -> Counter[str]:
    """Return how many tokens have gone through target and draft, once the engine is idle."""
    found = None
    while found != (found := (await engine._llm.collective_rpc("num_tokens_read"))[0]):
        await asyncio.sleep(0.1)
    return Counter(found)


def booked(calls: Sequence[Call], num_speculative_tokens: int) -> Counter[str]:
    """Return how many tokens our FLOPs have go through target and draft."""
    found = Counter[str]()
    for call in calls:
        num_read = call.num_prompt_tokens - call.num_cached_tokens
        num_decoded = max(0, call.num_generated_tokens - 1) + num_rejected(call) + num_tokens_after_end(call)
        found["target"] += num_read + num_decoded
        found["draft"] += num_read + num_read_by_draft(call, num_speculative_tokens)
    return found


def at_least(calls: Sequence[Call], num_speculative_tokens: int) -> Counter[str]:
    """Return how many they are if no sample had a step made for it after its end.

    Whether one is made is a race between the engine's core and those who read what it sends.
    """
    ended_inside = [replace(call, finish=Finish.END) for call in calls]
    return booked(ended_inside, num_speculative_tokens)


async def sampled(llm: MeteredModel, prompts: list[Trace], kind: str) -> None:
    """Draw a sample of each prompt: to its length, to a stop string, or until somebody has seen enough."""

    async def until_seen(prompt: Trace) -> None:
        async with llm.stream(prompt, max_tokens=120, every=60) as growing:
            async for _ in growing:
                break

    match kind:
        case "whole":
            drawn = [llm.extend(prompt, max_tokens=60) for prompt in prompts]
        case "stopped":
            drawn = [llm.extend(prompt, max_tokens=120, stop=["7"]) for prompt in prompts]
        case _:
            drawn = [until_seen(prompt) for prompt in prompts]  # type: ignore[misc]
    await asyncio.gather(*drawn)


NGRAM = {"method": "ngram", "prompt_lookup_max": 2, "prompt_lookup_min": 1}


@pytest.mark.parametrize(
    ("speculation", "num_speculative_tokens", "num_in_flight"),
    [("none", 0, 8), ("ngram", 4, 8), ("draft", 3, 8)],
)
async def test_tokens_that_are_read_are_those_booked(
    tiny: Model, tmp_path: Path, speculation: str, num_speculative_tokens: int, num_in_flight: int
) -> None:
    """Within 1% of what is booked, or of what is booked less some of the steps after a stop or an abort."""
    config: dict[str, Any] = {"none": {}, "ngram": NGRAM}.get(speculation) or {}
    if speculation == "draft":
        config = {"method": "draft_model", "model": draft_of(tiny, tmp_path / "draft")}
    if config:
        config = {**config, "num_speculative_tokens": num_speculative_tokens}
    settings = VllmEngine(
        max_num_seqs=num_in_flight,
        speculative_config=config or None,
        further={"worker_extension_cls": counting_worker.NAME},
    )
    rng, codec = random.Random(0), Codec(tiny)
    found, least, most = {}, {}, {}
    async with settings.start(tiny) as engine:
        for kind in ("whole", "stopped", "aborted"):
            meter = Meter("p", time.monotonic)
            llm = MeteredModel({"policy": Served(tiny, codec, engine)}, meter, mathematics(), run_seed=0)
            prompts = [
                Trace(tuple(rng.choices(range(16, 64), k=rng.randint(20, 90))), codec) for _ in range(30)
            ]
            before, gauges = await counted(engine), engine.gauges()
            await sampled(llm, prompts, kind)
            read = await counted(engine) - before
            rises = rises_of([(0, gauges), (0, engine.gauges())])
            calls = with_drafts(meter.calls, rises, roles=["policy"])
            for name in read:
                found[kind, name] = read[name]
                least[kind, name] = at_least(calls, num_speculative_tokens)[name]
                most[kind, name] = booked(calls, num_speculative_tokens)[name]
    for key, num_read in found.items():
        assert 0.99 * least[key] <= num_read <= 1.01 * most[key], (key, least[key], most[key])
        if key[0] == "whole":
            assert num_read == pytest.approx(most[key], rel=0.01)
    assert {name for _, name in found} == ({"target", "draft"} if speculation == "draft" else {"target"})
