"""Every format of process reward model through the real engine says what a plain forward pass says."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.verifiers.checkpoints import KINDS, MAX_LEN, Checkpoint
from tts_eval.engines.protocol import Engine
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.metered_verifier import metered_verifier
from tts_eval.llm.scripted import mathematics
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter
from tts_eval.records import Problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROBLEM = Problem("p", "What is 6 x 7?", "42")
TRACES = {
    "one step": ["It is 42."],
    "several steps": ["Six times seven.\n\n", "That is 6 + 6 + 6 + 6 + 6 + 6 + 6.\n\n", "So 42.\n\n", "Done"],
    "inner newlines": ["First:\n6 x 7\n= 42\n\n", "Second:\n\n\n\nchecked\n\n"],
    "an empty step": ["a\n\n", "", "b\n\n"],
    "500 steps": ["x\n\n"] * 500,
}


@dataclass(frozen=True)
class Running:
    """A reward model on its engine."""

    checkpoint: Checkpoint
    engine: Engine

    def handle(self) -> MeteredModel:
        model = self.checkpoint.model
        served = Served(model, Codec(model), self.engine)
        roles = {"policy": served, "verifier": served}
        return MeteredModel(roles, Meter("p", time.monotonic), mathematics(), run_seed=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Each reward model after the other."""
    checkpoint = KINDS[request.param](tmp_path_factory.mktemp("prm"))
    pooling = {"runner": "pooling", "pooler_config": {"tok_pooling_type": "ALL"}, **checkpoint.engine}
    async with VllmEngine.configure(**pooling).start(checkpoint.model) as engine:
        yield Running(checkpoint, engine)


@pytest.mark.parametrize("steps", TRACES.values(), ids=TRACES)
async def test_scores_are_those_of_a_plain_forward_pass(running: Running, steps: Sequence[str]) -> None:
    for verifier, reference in running.checkpoint.references:
        if len(steps) == 500 and "rlhflow" in type(verifier).__module__:
            continue  # its turns are longer than the model
        expected = reference(PROBLEM.question, steps)
        got = await verifier.score_steps(PROBLEM, steps, running.handle(), num_known=0)

        assert len(got) == len(steps) == len(expected)
        assert got == pytest.approx(expected, abs=1e-3)
        assert len(set(got)) > len(got) // 2  # a head that says the same everywhere would show nothing


@pytest.mark.parametrize("text", ["It is 42.", "First\n\nSecond\n\n", ""])
async def test_a_whole_trace_is_scored_as_by_a_plain_forward_pass(running: Running, text: str) -> None:
    for verifier, reference in running.checkpoint.traces:
        llm = running.handle()
        score = await verifier.score_trace(PROBLEM, llm.start(PROBLEM) + text, llm)

        assert score == pytest.approx(reference(PROBLEM.question, text), abs=1e-3)
        assert score is not None and 0.001 < score < 0.999
        assert [call.role for call in llm.meter.calls] == ["verifier"]


async def test_a_growing_trace_pays_for_its_newest_step(running: Running) -> None:
    steps = [f"Step number {number} adds {number} to the sum.\n\n" for number in range(30)]
    for verifier, reference in running.checkpoint.references:
        await running.engine.forget()
        llm = running.handle()
        trace = llm.start(PROBLEM)
        async with metered_verifier(verifier, llm) as metered:
            assert metered is not None
            for step in steps:
                trace += step
                [scores] = await metered.score(PROBLEM, [trace])

        assert list(scores) == pytest.approx(reference(PROBLEM.question, steps), abs=1e-3)
        asked = sum(call.num_prompt_tokens for call in llm.meter.calls)
        computed = asked - sum(call.num_cached_tokens for call in llm.meter.calls)
        assert len(llm.meter.calls) == len(steps)
        # each call reads its step, and at most a cache block of 32 tokens before it
        assert computed < llm.meter.calls[-1].num_prompt_tokens + 32 * len(steps) < asked / 3


async def test_what_the_prefix_cache_hides_is_read_anew(running: Running) -> None:
    [(verifier, reference), *_] = running.checkpoint.references or pytest.skip("scores whole traces")
    steps = [f"Step {number} says {number}.\n\n" for number in range(12)]
    llm = running.handle()
    first = await verifier.score_steps(PROBLEM, steps, llm, num_known=0)
    again = await verifier.score_steps(PROBLEM, steps, llm, num_known=0)

    assert first == pytest.approx(reference(PROBLEM.question, steps), abs=1e-3)
    assert again == pytest.approx(first, abs=1e-5)
    assert [call.num_cached_tokens > 0 for call in llm.meter.calls][-2:] == [True, False]


async def test_of_more_than_the_length_the_last_steps_are_read_and_the_others_counted(
    running: Running,
) -> None:
    steps = [f"This is step number {number} of very many.\n\n" for number in range(250)]
    for verifier, _ in running.checkpoint.references:
        llm = running.handle()
        scores = await verifier.score_steps(PROBLEM, steps, llm, num_known=0)
        num_unread = llm.meter.num_unread_steps

        assert len(scores) == 250
        assert 0 < num_unread < 250
        assert scores[: num_unread + 1] == [scores[num_unread]] * (num_unread + 1)
        assert scores[-1] != scores[-2] != scores[num_unread]
        assert max(call.num_prompt_tokens for call in llm.meter.calls) <= MAX_LEN
        later = await verifier.score_steps(PROBLEM, steps, llm, num_known=249)
        assert later == pytest.approx(scores[-1:], abs=1e-5)
        assert llm.meter.num_unread_steps == num_unread


async def test_a_first_step_beyond_the_length_is_left_out_and_one_alone_is_read_from_its_end(
    running: Running,
) -> None:
    """A runaway trace is judged by what could be read of it; its problem does not fail."""
    [(verifier, _), *_] = running.checkpoint.references or pytest.skip("scores whole traces")
    llm = running.handle()
    first, second = await verifier.score_steps(PROBLEM, ["x" * MAX_LEN, "y"], llm, num_known=0)
    [alone] = await verifier.score_steps(PROBLEM, ["x" * MAX_LEN], llm, num_known=0)

    assert first == second
    assert 0 < first < 1
    assert 0 < alone < 1
    assert llm.meter.num_unread_steps == 1
    assert max(call.num_prompt_tokens for call in llm.meter.calls) <= MAX_LEN
