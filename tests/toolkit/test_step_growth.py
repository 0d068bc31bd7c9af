"""A trace grows by whole steps, neither blank nor too short."""

from dataclasses import replace

import pytest

from tts_eval.llm.scripted import MODEL, ScriptedEngine, metered
from tts_eval.model import Model
from tts_eval.records import Finish, Problem, Trace
from tts_eval.toolkit.steps import StepSampling, grow_step, is_finished


async def grown(replies: dict[str, list[str]], *, model: Model = MODEL, max_step_tokens: int = 99) -> Trace:
    llm = metered(ScriptedEngine(replies), model=model)
    return await grow_step(llm, llm.start(Problem("p", "6 x 7?", "42")), StepSampling(max_step_tokens))


async def test_a_step_keeps_its_separator() -> None:
    trace = await grown({"": [" one two\n\n three"]})
    assert (trace.text, trace.finish) == (" one two\n\n", Finish.STOP)


async def test_a_blank_line_alone_is_no_step() -> None:
    assert (await grown({"": ["\n\n"], "\n\n": [" one\n\n"]})).text == "\n\n one\n\n"


async def test_a_short_step_is_gone_on_with() -> None:
    script = {"": [" one\n\n"], " one\n\n": [" two three\n\n"]}
    patient = replace(MODEL, min_step_tokens=4)
    assert (await grown(script, model=patient)).text == " one\n\n two three\n\n"
    assert (await grown(script)).text == " one\n\n"


async def test_a_step_cut_at_its_length_has_not_finished() -> None:
    engine = ScriptedEngine({"": [" one two three"]})
    llm = metered(engine)
    trace = await grow_step(llm, llm.start(Problem("p", "6 x 7?", "42")), StepSampling(2))
    assert (trace.text, trace.finish) == (" one two", Finish.LENGTH)
    assert not is_finished(llm, trace)


async def test_a_trace_at_the_model_s_length_has_finished() -> None:
    engine = ScriptedEngine({"": [" one two three four"]}, max_model_len=6)
    llm = metered(engine)
    trace = await grow_step(llm, llm.start(Problem("p", "6 x 7?", "42")), StepSampling(99))
    assert trace.num_tokens == 2  # after a prompt of four
    assert is_finished(llm, trace)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match=r"strategy\.max_step_tokens must be a whole number from 1, not 0"):
        StepSampling(0)
