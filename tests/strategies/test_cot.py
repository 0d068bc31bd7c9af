"""Chain of thought answers with its one trace."""

import pytest

from strategies.cot import Cot
from tts_eval.llm.scripted import MODEL, solve
from tts_eval.protocols import Setup


async def test_the_boxed_answer_after_the_thinking_is_the_answer() -> None:
    attempt, _, meter = await solve(Cot(), {"": [" six sevens </think> so \\boxed{42}"]})
    assert attempt.answer == "42"
    [candidate] = attempt.candidates
    assert candidate.num_tokens == 5  # six, sevens, </think>, so, \boxed{42}
    spend = meter.spend()
    assert (spend.num_generated_tokens, spend.num_thinking_tokens, spend.num_calls) == (5, 3, 1)


async def test_a_trace_cut_while_it_thinks_has_no_answer() -> None:
    attempt, _, meter = await solve(Cot(max_tokens=2), {"": [" \\boxed{41} no, \\boxed{42} </think>"]})
    assert attempt.answer is None
    assert meter.spend().num_thinking_tokens == 2


async def test_greedy_needs_no_seed_and_sampling_has_one() -> None:
    _, greedy, _ = await solve(Cot(), {"": [" </think> 42"]})
    _, sampled, _ = await solve(Cot(temperature=0.7), {"": [" </think> 42"]})
    assert greedy.requests[0].sampling.temperature == 0.0
    assert sampled.requests[0].sampling.temperature == 0.7
    assert sampled.requests[0].seed is not None


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"strategy\.max_tokens must be a whole number from 1, not 0"):
        Cot(max_tokens=0)
    with pytest.raises(
        ValueError, match=r"strategy\.temperature must be 0 .* or a number from 0.01 to 2, not -1"
    ):
        Cot(temperature=-1)
    with pytest.raises(ValueError, match=r"strategy\.max_tokens is 99 tokens; .* leaves 80"):
        Cot(max_tokens=99).check(Setup(MODEL, 80))
