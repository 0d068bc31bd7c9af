"""A model that is asked for its answer while it thinks may stop thinking early."""

from dataclasses import replace

import pytest

from strategies.early_exit import EarlyExit
from tts_eval.llm.scripted import MODEL, solve
from tts_eval.protocols import Setup

LEAD_IN = " </think> \\boxed{"
THOUGHT = " one two three four five six seven eight </think> \\boxed{41}"


def probed(*replies: str) -> dict[str, list[str]]:
    """Return a script in which the thought, cut after every two words, is asked with these replies."""
    words = THOUGHT.split()
    script = {"": [THOUGHT]}
    for number, reply in enumerate(replies):
        cut = "".join(f" {word}" for word in words[: 2 * number + 2])
        script[cut + LEAD_IN] = [reply]
    return script


async def test_it_leaves_once_three_probes_agree() -> None:
    exit_early = EarlyExit(every=2, patience=3, max_probe_tokens=5)
    attempt, engine, meter = await solve(exit_early, probed("7}", "42}", "42} .", "42.0}"))

    assert attempt.answer == "42.0"
    assert len(engine.requests) == 1 + 4
    assert meter.spend().num_generated_tokens == 8 + (1 + 1 + 2 + 1)  # the thought so far, and its probes
    assert str(meter.calls[-1].finish) == "abort"
    assert [i.answer for i in meter.interims] == ["7", "42", "42", "42.0"]
    assert attempt.candidates[0].text == " one two three four five six seven eight" + LEAD_IN + "42.0}"


async def test_a_hedge_or_an_open_box_is_not_agreement() -> None:
    exit_early = EarlyExit(every=2, patience=2, max_probe_tokens=5)
    for reply in ("42} but wait", "42", "} empty"):
        attempt, _, _ = await solve(exit_early, probed("42}", reply, "42}", reply))
        assert attempt.answer == "41"  # it thought to the end


async def test_braces_within_the_answer_stay_in_it() -> None:
    script = probed("\\frac{1}{2}}", "0.5}")
    attempt, _, _ = await solve(EarlyExit(every=2, patience=2, max_probe_tokens=5), script)
    assert attempt.answer == "0.5"


async def test_probes_are_cut_at_their_length() -> None:
    script = probed("42", "42", "42", "42")
    _, engine, _ = await solve(EarlyExit(every=2, max_probe_tokens=3), script)
    assert {request.max_tokens for request in engine.requests[1:]} == {3}


async def test_the_answer_part_is_not_probed() -> None:
    _, engine, _ = await solve(EarlyExit(every=9, patience=1), {"": [THOUGHT]})
    assert len(engine.requests) == 1


async def test_a_trace_cut_off_in_thinking_answers_what_it_was_last_probed_for() -> None:
    attempt, _, _ = await solve(EarlyExit(every=2, max_tokens=4), probed("7}", "42}"))
    assert attempt.answer == "42"


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(
        ValueError, match="early_exit looks into the thinking; 'scripted' has no thinking_end"
    ):
        EarlyExit().check(Setup(replace(MODEL, thinking_start=None, thinking_end=None), 9))
    with pytest.raises(ValueError, match="a probe must end by opening a box"):
        EarlyExit(probe=" so?").check(Setup(MODEL, 9))
    with pytest.raises(ValueError, match=r"strategy\.patience must be a whole number from 1, not 0"):
        EarlyExit(patience=0)
