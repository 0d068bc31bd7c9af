"""Beam search keeps the steps that the verifier likes, and pays for every step it drew."""

import pytest

from strategies.beam_search import BeamSearch
from tts_eval.llm.scripted import MODEL, ScriptedVerifier, solve
from tts_eval.protocols import Setup

END = " </think> \\boxed{{{}}}"
TWO_STEPS = {
    "": [" good\n\n", " bad\n\n", " fine\n\n", " awful\n\n"],
    " good\n\n": [END.format(42), END.format(41)],
    " fine\n\n": [END.format(40), END.format(39)],
}
SCORES = {"good": 0.9, "fine": 0.6, "bad": 0.3, "awful": 0.1, "42": 0.8, "41": 0.2, "40": 0.5, "39": 0.4}


async def test_the_better_half_goes_on_and_the_best_end_wins() -> None:
    search = BeamSearch(n=4, beam_width=2, aggregation="last")
    attempt, engine, meter = await solve(search, TWO_STEPS, verifier=ScriptedVerifier(SCORES))

    assert attempt.answer == "42"
    assert [(c.answer, c.score) for c in attempt.candidates] == [
        ("42", 0.8),
        ("40", 0.5),
        ("41", 0.2),
        ("39", 0.4),
    ]
    assert attempt.candidates[0].step_scores == (0.9, 0.8)
    assert len(engine.requests) == 4 + 4
    assert meter.spend().num_generated_tokens == 4 * 2 + 4 * 2  # dropped steps are paid for too


async def test_the_tree_shows_what_was_dropped() -> None:
    search = BeamSearch(n=4, beam_width=2)
    attempt, _, _ = await solve(search, TWO_STEPS, verifier=ScriptedVerifier(SCORES))

    by_step = {node.text.strip(): node for node in attempt.tree}
    children = [node.text.strip() for node in attempt.tree if node.parent == 0]
    assert children == ["good", "bad", "fine", "awful"]
    assert by_step["awful"].score == 0.1
    assert attempt.tree[0].parent is None
    assert [node.answer for node in attempt.tree if node.answer] == ["42", "41", "40", "39"]
    assert not any(node.parent == attempt.tree.index(by_step["bad"]) for node in attempt.tree)


async def test_equal_beams_count_once() -> None:
    twins = {**TWO_STEPS, "": [" good\n\n", " good\n\n", " fine\n\n", " bad\n\n"]}
    apart, _, _ = await solve(BeamSearch(n=4, beam_width=2), twins, verifier=ScriptedVerifier(SCORES))
    assert {c.answer for c in apart.candidates} == {"42", "41", "40", "39"}

    together = BeamSearch(n=4, beam_width=2, filter_duplicates=False)
    alike, _, _ = await solve(together, twins, verifier=ScriptedVerifier(SCORES))
    assert {c.answer for c in alike.candidates} == {"42", "41"}


async def test_a_finished_beam_leaves_and_the_rest_is_filled_up() -> None:
    early = {
        "": [END.format(7), " good\n\n", " bad\n\n", " awful\n\n"],
        " good\n\n": [END.format(42), END.format(41), END.format(42), END.format(41)],
        " bad\n\n": [END.format(40), END.format(39)],
    }
    scores = {"7": 0.5, **SCORES}
    attempt, engine, _ = await solve(BeamSearch(n=4, beam_width=2), early, verifier=ScriptedVerifier(scores))

    assert [c.answer for c in attempt.candidates] == ["7", "42", "40", "41"]  # the first four of five
    assert attempt.answer == "42"
    assert len(engine.requests) == 4 + 4


async def test_looking_ahead_saves_a_step_that_only_pays_later() -> None:
    ahead = {
        "": [" plain\n\n", " deep\n\n"],
        " plain\n\n": [END.format(1)],
        " deep\n\n": [" bright\n\n", END.format(42), END.format(42)],
    }
    scores = {"plain": 0.6, "deep": 0.5, "bright": 0.9, "1": 0.1, "42": 0.9}
    short, _, cheap = await solve(BeamSearch(n=2, beam_width=2), ahead, verifier=ScriptedVerifier(scores))
    far, _, dear = await solve(
        BeamSearch(n=2, beam_width=2, lookahead=1), ahead, verifier=ScriptedVerifier(scores)
    )

    assert short.answer == "1"
    assert far.answer == "42"
    assert cheap.spend().num_generated_tokens == 2 * 2 + 2 * 2
    assert dear.spend().num_generated_tokens == 2 * 2 + (2 + 2) + 2 * 2
    assert " deep\n\n bright\n\n" not in [node.text for node in far.tree]  # looked at, not walked


async def test_the_last_step_is_written_to_the_end() -> None:
    endless = {"": [" on\n\n and\n\n on\n\n"]}
    attempt, engine, _ = await solve(
        BeamSearch(n=1, beam_width=1, max_steps=1), endless, verifier=ScriptedVerifier({"o": 0.5, "and": 0.5})
    )
    assert attempt.answer is None
    assert attempt.candidates[0].text == " on\n\n and\n\n on\n\n"
    assert engine.requests[0].stop == ()


async def test_every_finished_beam_is_noted() -> None:
    _, _, meter = await solve(BeamSearch(n=4, beam_width=2), TWO_STEPS, verifier=ScriptedVerifier(SCORES))
    assert len(meter.interims) == 4
    assert meter.interims[-1].answer == "42"


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"strategy\.beam_width=3 does not divide strategy\.n=16; allowed: 1, 2"
    ):
        BeamSearch(beam_width=3)
    with pytest.raises(ValueError, match=r"strategy\.aggregation must be one of min, product, last"):
        BeamSearch(aggregation="sum")
    with pytest.raises(ValueError, match=r"strategy\.answer_by must be one of best, weighted, majority"):
        BeamSearch(answer_by="luck")
    with pytest.raises(ValueError, match="BeamSearch is guided by a verifier; give verifier="):
        BeamSearch().check(Setup(MODEL, 900))
