"""Traces are prefixes that can be appended to and cut."""

from dataclasses import replace

import pytest

from tts_eval.llm.scripted import WordCodec
from tts_eval.records import Finish, Sampling, Trace


def trace(text: str) -> Trace:
    codec = WordCodec()
    return Trace((), codec, codec.encode(text), text, Finish.STOP)


def test_appending_makes_a_new_trace() -> None:
    short = trace("one two")
    long = short + " three"
    assert (short.text, short.finish) == ("one two", Finish.STOP)
    assert (long.text, long.finish, long.num_tokens) == ("one two three", None, 3)


def test_a_suffix_comes_off_where_it_is_and_nowhere_else() -> None:
    assert trace("one two </think>").removesuffix(" </think>").text == "one two"
    assert trace("one two </think>").removesuffix(" two").text == "one two </think>"


def test_values_of_tokens_keep_step_with_the_tokens() -> None:
    scored = replace(trace("one two"), logprobs=(-0.5, -0.25), confidences=(1.0, 2.0))
    longer = scored + " three four"
    assert longer.logprobs == (-0.5, -0.25, 0.0, 0.0)
    assert longer.first(3).confidences == (1.0, 2.0, 0.0)


def test_sampling_refuses_what_no_sampler_can_do() -> None:
    with pytest.raises(ValueError, match=r"temperature must be 0 .* or a number from 0.01 to 2, not -1"):
        Sampling(temperature=-1)
    with pytest.raises(ValueError, match="top_p must be a number from 1e-06 to 1, not 0"):
        Sampling(top_p=0)
    assert Sampling(0.6, 0.95).override(temperature=None, top_p=1.0) == Sampling(0.6, 1.0)
