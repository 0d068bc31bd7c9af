"""Best of n takes the trace that the verifier likes best, or the answer it likes best in sum."""

from dataclasses import replace

import pytest

from strategies.best_of_n import BestOfN
from tts_eval.llm.scripted import MODEL, ScriptedVerifier, solve
from tts_eval.protocols import Setup

# Three traces say 7 with scores .4 .4 .4, one says 8 with .9.
SEVENS = {"": [f" hm </think> \\boxed{{{answer}}}" for answer in ("7", "8", "7", "7")]}
SCORES = {"{7}": 0.4, "{8}": 0.9}


async def test_the_best_trace_decides() -> None:
    attempt, _, meter = await solve(BestOfN(n=4), SEVENS, verifier=ScriptedVerifier(SCORES))
    assert attempt.answer == "8"
    assert attempt.chosen.score == 0.9
    assert meter.spend().num_generated_tokens == 4 * 3
    assert len(meter.interims) == 4


async def test_weighted_the_heaviest_answer_decides() -> None:
    attempt, _, _ = await solve(BestOfN(n=4, weighted=True), SEVENS, verifier=ScriptedVerifier(SCORES))
    assert attempt.answer == "7"  # 1.2 against 0.9


async def test_a_tie_goes_to_the_trace_sampled_first() -> None:
    script = {"": [f" hm </think> \\boxed{{{answer}}}" for answer in ("3", "5", "5")]}
    verifier = ScriptedVerifier({"{": 0.5})
    attempt, _, _ = await solve(BestOfN(n=3), script, verifier=verifier)
    assert attempt.answer == "3"


async def test_an_unparsed_answer_never_wins() -> None:
    verifier = ScriptedVerifier({"still": 1.0, "{42}": 0.0})
    script = {"": [" still thinking", " </think> \\boxed{42}"]}
    attempt, _, _ = await solve(BestOfN(n=2), script, verifier=verifier)
    assert attempt.answer == "42"
    nobody, _, _ = await solve(BestOfN(n=2), {"": [" still thinking"]}, verifier=verifier)
    assert nobody.answer is None


async def test_every_trace_is_scored_as_it_comes_in() -> None:
    verifier = ScriptedVerifier(SCORES)
    await solve(BestOfN(n=4), SEVENS, verifier=verifier)
    assert sorted(verifier.scored) == sorted(SEVENS[""])


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"strategy=best_of_n needs a verifier"):
        BestOfN().check(Setup(replace(MODEL, temperature=0.6), 900))
    with pytest.raises(ValueError, match=r"strategy\.weighted must be one of True, False, not 'yes'"):
        BestOfN(weighted="yes")  # type: ignore[arg-type]
