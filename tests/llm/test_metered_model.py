"""The metered handle: what it asks of an engine, and what it books."""

from dataclasses import replace

import pytest

from tts_eval.engines.chunked import ChunkedEngine
from tts_eval.llm.scripted import MODEL, ScriptedEngine, metered
from tts_eval.records import Finish, Problem
from tts_eval.requests import EngineFacts

PROBLEM = Problem("p", "6 x 7 =", "42")


async def test_a_trace_grows_by_token_ids_and_the_text_follows() -> None:
    llm = metered(ScriptedEngine({"": [" six sevens"], " six sevens make": [" forty two"]}))
    [once] = await llm.extend(llm.start(PROBLEM))
    [twice] = await llm.extend(once + " make")
    assert twice.text == " six sevens make forty two"
    assert twice.token_ids[: once.num_tokens] == once.token_ids
    assert twice.codec.decode(twice.token_ids) == twice.text
    assert (once + " make").finish is None
    assert llm.meter.spend().num_generated_tokens == 4  # "make" was appended, not generated


async def test_a_stop_string_is_kept_and_told() -> None:
    llm = metered(ScriptedEngine({"": [" step one\n\n step two"]}))
    [trace] = await llm.extend(llm.start(PROBLEM), stop=["\n\n"])
    assert (trace.text, trace.finish) == (" step one\n\n", Finish.STOP)


async def test_n_samples_are_n_calls_numbered_in_order() -> None:
    llm = metered(ScriptedEngine({"": [" a", " b", " c"]}))
    traces = await llm.extend(llm.start(PROBLEM), n=3, temperature=1.0)
    assert [trace.text for trace in traces] == [" a", " b", " c"]
    assert sorted(call.number for call in llm.meter.calls) == [0, 1, 2]
    assert len({call.seed for call in llm.meter.calls}) == 3


async def test_a_sample_s_seed_hangs_on_its_prefix_and_not_on_what_else_was_asked() -> None:
    script = {"": [" a"], " x": [" b"], " y": [" c"]}

    async def seeds(*asked: str) -> dict[str, list[int | None]]:
        engine = ScriptedEngine(script)
        engine.codec.encode(" x y")  # ids are given out as words turn up
        llm = metered(engine)
        for text in asked:
            await llm.extend(llm.start(PROBLEM) + text if text else llm.start(PROBLEM))
        found: dict[str, list[int | None]] = {}
        for text, request in zip(asked, engine.requests, strict=True):
            found.setdefault(text, []).append(request.seed)
        return found

    early, late = await seeds(" x", " y", " x"), await seeds(" y", "", " x", " x")
    assert early[" x"] == late[" x"]
    assert early[" y"] == late[" y"]
    assert len({*early[" x"], *early[" y"]}) == 3


async def test_an_engine_that_takes_no_seeds_is_given_none() -> None:
    """engine.seeded=false: pieces of a chunked sample, streams and the booked calls included."""

    class Unseeded(ScriptedEngine):
        @property
        def facts(self) -> EngineFacts:
            return replace(super().facts, is_seeded=False, takes_seeds=False)

    engine = Unseeded({"": [" a b c d"], " a b": [" c d"]})
    llm = metered(engine)
    await llm.extend(llm.start(PROBLEM), n=2, temperature=1.0)
    async with llm.stream(llm.start(PROBLEM), temperature=1.0) as growing:
        async for _ in growing:
            pass
    chunked = replace(llm, roles={"policy": replace(llm.served, engine=ChunkedEngine(engine, 2))})
    await chunked.extend(llm.start(PROBLEM), temperature=1.0)
    assert {request.seed for request in engine.requests} == {None}
    assert {call.seed for call in llm.meter.calls} == {None}


def test_chance_is_the_same_for_the_same_name_and_spread_over_names() -> None:
    llm = metered(ScriptedEngine({}))
    drawn = [llm.uniform(f"resampling {step}") for step in range(1000)]
    assert drawn == [llm.uniform(f"resampling {step}") for step in range(1000)]
    assert 0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1
    assert sum(drawn) / 1000 == pytest.approx(0.5, abs=0.03)


async def test_a_watched_trace_can_be_stopped_and_what_it_wrote_is_booked() -> None:
    llm = metered(ScriptedEngine({"": [" a b c d e f"]}))
    seen = []
    async with llm.stream(llm.start(PROBLEM), every=2) as growing:
        async for trace in growing:
            seen.append(trace.text)
            if trace.num_tokens >= 4:
                break
    assert seen == [" a b", " a b c d"]
    [call] = llm.meter.calls
    assert (call.num_generated_tokens, call.finish) == (4, Finish.ABORT)


async def test_the_first_answer_token_is_timed_where_the_engine_tells_its_tokens() -> None:
    """Submitted at tick 1; the thinking part takes two tokens, half a second apart."""
    script = {"": [" hm </think> it is 42"]}
    llm = metered(ScriptedEngine(script, seconds_per_token=0.5))
    await llm.extend(llm.start(PROBLEM))
    [call] = llm.meter.calls
    assert call.first_answer_token_s == call.submitted_s + 2 * 0.5
    assert llm.meter.spend().ttfat_s == 2.0
    assert sum(num for _, num in call.gap_counts or ()) == 4

    late = metered(ScriptedEngine(script, seconds_per_token=5.0))
    await late.extend(late.start(PROBLEM))
    [call] = late.meter.calls
    assert call.first_answer_token_s == call.finished_s  # not after the end

    unknown = metered(ScriptedEngine(script))
    await unknown.extend(unknown.start(PROBLEM))
    assert unknown.meter.spend().ttfat_s is None

    thinks_on = metered(ScriptedEngine({"": [" hm"]}, seconds_per_token=0.5))
    await thinks_on.extend(thinks_on.start(PROBLEM))
    assert thinks_on.meter.spend().ttfat_s is None

    parts = metered(ScriptedEngine({"": [" hm </think>"], " hm </think>": [" 42"]}))
    [thought] = await parts.extend(parts.start(PROBLEM))
    await parts.extend(thought)
    assert parts.meter.spend().ttfat_s is not None


async def test_without_thinking_every_token_is_answer() -> None:
    llm = metered(ScriptedEngine({" </think>": [" it is \\boxed{42}"]}))
    [trace] = await llm.extend(llm.start(PROBLEM, thinking=False))
    assert llm.answer(trace) == "42"
    spend = llm.meter.spend()
    assert spend.num_thinking_tokens == 0
    assert spend.ttfat_s == spend.ttft_s


async def test_a_model_that_may_think_but_did_not_has_answered() -> None:
    opens_itself = replace(MODEL, starts_thinking=False)
    llm = metered(ScriptedEngine({"": [" \\boxed{42}", " <think> \\boxed{42}"]}), model=opens_itself)
    at_once, unfinished = await llm.extend(llm.start(PROBLEM), n=2)
    assert llm.answer(at_once) == "42"
    assert llm.answer(unfinished) is None


async def test_room_is_what_the_models_length_leaves() -> None:
    llm = metered(ScriptedEngine({"": [" a b c d e f g h"]}, max_model_len=9))
    start = llm.start(PROBLEM)  # five tokens
    [trace] = await llm.extend(start)
    assert (trace.num_tokens, trace.finish) == (4, Finish.LENGTH)
    with pytest.raises(ValueError, match=r"more tokens asked for after 9 tokens; .* leaves room for 0"):
        await llm.extend(trace)
    with pytest.raises(ValueError, match=r"max_tokens=5 asked for after 5 tokens; .* leaves room for 4"):
        await llm.extend(start, max_tokens=5)


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="no model is configured for role 'draft'; there are: policy"):
        metered(ScriptedEngine({})).as_role("draft")


async def test_how_long_votes_took_is_booked_with_the_problem() -> None:
    llm = metered(ScriptedEngine({}))
    assert llm.meter.spend().grading_wait_s == 0
    assert await llm.group(["42", "42.0", None]) == [[0, 1]]
    assert llm.meter.spend().grading_wait_s == 1  # tick of the clock
