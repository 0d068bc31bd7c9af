"""A sample drawn in pieces is the sample that it would have been, and what the pieces cost is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from tts_eval.engines.chunked import ChunkedEngine
from tts_eval.llm.scripted import ASK, ScriptedEngine, ScriptedStream
from tts_eval.records import Finish, Sampling
from tts_eval.requests import Completion, Request

WORDS = tuple(f" w{number}" for number in range(20))
TEXT = "".join(WORDS)


@dataclass
class Reciter(ScriptedEngine):
    """Goes on with the same twenty words wherever it is asked to; all but three tokens are cached."""

    async def generate(self, request: Request) -> Completion:
        said = self.codec.decode(request.prompt_ids).split(ASK, 1)[1]
        self.replies = {said: [TEXT.removeprefix(said)]}
        completion = await super().generate(request)
        return replace(completion, num_cached_tokens=max(0, len(request.prompt_ids) - 3))


def reciter() -> tuple[Reciter, Request]:
    engine = Reciter({})
    prompt_ids = engine.codec.prompt("recite")
    return engine, Request(prompt_ids, Sampling(temperature=1.0), max_tokens=50, seed=7)


@pytest.mark.parametrize("chunk_tokens", [1, 3, 19, 20, 21, 50])
async def test_pieces_add_up_to_the_whole(chunk_tokens: int) -> None:
    engine, request = reciter()
    whole = await engine.generate(request)
    drawn = await ChunkedEngine(engine, chunk_tokens).generate(request)

    assert (drawn.token_ids, drawn.text, drawn.finish) == (whole.token_ids, TEXT, Finish.END)
    assert all(asked.max_tokens <= chunk_tokens for asked in engine.requests[1:])


async def test_the_limit_is_that_of_the_sample() -> None:
    engine, request = reciter()
    drawn = await ChunkedEngine(engine, 4).generate(replace(request, max_tokens=10))

    assert (drawn.text, drawn.finish) == ("".join(WORDS[:10]), Finish.LENGTH)
    assert [asked.max_tokens for asked in engine.requests] == [4, 4, 2]


async def test_each_piece_has_a_seed_of_its_own_and_the_first_that_of_the_sample() -> None:
    engine, request = reciter()
    await ChunkedEngine(engine, 5).generate(request)
    seeds = [asked.seed for asked in engine.requests]

    assert seeds[0] == 7
    assert len(set(seeds)) == len(seeds)
    assert None not in seeds


@pytest.mark.parametrize("stop", [" w3 w4", " w4", "3 w4 w"])
@pytest.mark.parametrize("chunk_tokens", [1, 2, 4, 5, 20])
async def test_a_stop_string_is_met_across_a_boundary(stop: str, chunk_tokens: int) -> None:
    engine, request = reciter()
    drawn = await ChunkedEngine(engine, chunk_tokens).generate(replace(request, stop=(stop,)))

    assert drawn.finish is Finish.STOP
    assert drawn.text == TEXT[: TEXT.index(stop) + len(stop)]
    assert len(drawn.token_ids) == (6 if stop.endswith("w") else 5)  # the token that ends it is the last


async def test_what_has_left_the_cache_is_counted() -> None:
    engine, request = reciter()
    drawn = await ChunkedEngine(engine, 8).generate(request)

    assert drawn.num_cached_tokens == 0  # of the prompt of two tokens
    assert drawn.num_reread_tokens == 2 + 2  # two later pieces: three tokens not cached, one of them was due


async def test_a_piece_waits_behind_samples_with_fewer_tokens() -> None:
    engine, request = reciter()
    await ChunkedEngine(engine, 8, is_least_attained_first=True).generate(request)

    assert [asked.priority for asked in engine.requests] == [0, 8, 16]


@pytest.mark.parametrize("chunk_tokens", [3, 6, 7, 50])
async def test_a_stream_is_looked_at_as_if_there_were_no_pieces(chunk_tokens: int) -> None:
    engine, request = reciter()
    stream = ChunkedEngine(engine, chunk_tokens).stream(request, every=6)
    looks = [look async for look in stream]

    assert [len(look.token_ids) for look in looks] == [6, 12, 18, 20]
    assert [look.finish for look in looks] == [None, None, None, Finish.END]
    assert all(later.text.startswith(earlier.text) for earlier, later in pairwise(looks))
    assert (await stream.close()).text == TEXT


async def test_a_stream_closed_early_keeps_what_was_drawn() -> None:
    engine, request = reciter()
    stream = ChunkedEngine(engine, 4).stream(request, every=6)
    async for look in stream:
        assert len(look.token_ids) == 6
        break
    closed = await stream.close()

    assert (closed.text, closed.finish) == ("".join(WORDS[:6]), Finish.ABORT)
    assert isinstance(engine.stream(request), ScriptedStream)


async def test_a_stream_that_nobody_looked_at_is_empty() -> None:
    engine, request = reciter()
    closed = await ChunkedEngine(engine, 4).stream(request).close()

    assert (closed.token_ids, closed.finish, engine.requests) == ((), Finish.ABORT, [])
