"""REBASE shares a fixed width out among the nodes of each depth."""

from strategies.rebase import Rebase
from tts_eval.llm.scripted import ScriptedVerifier, solve

END = " </think> \\boxed{{{}}}"


async def test_a_good_step_gets_most_of_the_children_and_the_width_is_kept() -> None:
    """exp(.9/.2) : exp(.7/.2) : exp(.3/.2) : exp(.1/.2) = 90 : 33.1 : 4.5 : 1.6 of 129.2, W = 4.

    ceil(4 x 90/129.2) = 3 for the first, ceil(1 x 33.1/39.2) = 1 for the second, nothing for the others.
    """
    script = {
        "": [" good\n\n", " bad\n\n", " fine\n\n", " awful\n\n"],
        " good\n\n": [END.format(42), END.format(41), END.format(42)],
        " fine\n\n": [END.format(41)],
    }
    scores = {"good": 0.9, "fine": 0.7, "bad": 0.3, "awful": 0.1, "42": 0.4, "41": 0.5}
    attempt, engine, meter = await solve(Rebase(n=4), script, verifier=ScriptedVerifier(scores))

    assert [c.answer for c in attempt.candidates] == ["42", "41", "42", "41"]
    assert attempt.answer == "41"  # weighs .5 + .5, against .4 + .4
    assert len(engine.requests) == 8
    assert meter.spend().num_generated_tokens == 4 * 2 + 4 * 2


async def test_what_has_finished_takes_its_place_out_of_the_width() -> None:
    script = {"": [END.format(7), " good\n\n", " bad\n\n"], " good\n\n": [END.format(42)] * 2}
    scores = {"7": 0.3, "good": 0.9, "bad": 0.1, "42": 0.8}
    attempt, engine, _ = await solve(Rebase(n=3), script, verifier=ScriptedVerifier(scores))

    assert [c.answer for c in attempt.candidates] == ["7", "42", "42"]
    assert len(engine.requests) == 3 + 2
