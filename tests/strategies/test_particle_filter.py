"""Particles are copied or dropped by the odds of their scores, with one number drawn a step."""

import pytest

from strategies.particle_filter import ParticleFilter
from tts_eval.llm.scripted import ScriptedVerifier, solve
from tts_eval.toolkit.resampling import effective_share, ess_temperature, log_odds, softmax

END = " </think> \\boxed{{{}}}"
SCRIPT = {
    "": [" good\n\n", " bad\n\n", " worse\n\n", " awful\n\n"],
    " good\n\n": [END.format(42), END.format(41), END.format(40), END.format(39)],
}
SCORES = {"good": 0.999, "bad": 0.001, "worse": 0.001, "awful": 0.001}
ANSWERS = {"42": 0.5, "41": 0.6, "40": 0.4, "39": 0.3}


async def test_a_step_with_all_the_odds_takes_every_place() -> None:
    """Odds of 999 against three times 0.001: any draw but the rarest picks the first four times."""
    verifier = ScriptedVerifier(SCORES | ANSWERS)
    attempt, engine, meter = await solve(ParticleFilter(n=4), SCRIPT, verifier=verifier)

    assert [c.answer for c in attempt.candidates] == ["42", "41", "40", "39"]
    assert attempt.answer == "41"
    assert attempt.candidates[1].score == pytest.approx(0.999 * 0.6)
    assert len(engine.requests) == 4 + 4
    assert meter.spend().num_generated_tokens == 4 * 2 + 4 * 2


async def test_a_finished_particle_keeps_its_weight_and_costs_nothing_more() -> None:
    script = {"": [END.format(7), " good\n\n"], " good\n\n": [END.format(42)]}
    verifier = ScriptedVerifier({"7": 0.5, "good": 0.5, "42": 0.9})
    attempt, engine, _ = await solve(ParticleFilter(n=2, aggregation="last"), script, verifier=verifier)

    assert [c.answer for c in attempt.candidates] == ["7", "42"]  # equal weights: each is kept once
    assert attempt.answer == "42"
    assert len(engine.requests) == 2 + 1


async def test_annealing_keeps_more_than_the_one_lucky_step() -> None:
    others = {f" {step}\n\n": [END.format(7)] * 4 for step in ("bad", "worse", "awful")}
    early = ParticleFilter(n=4, anneal=True, max_steps=40)
    verifier = ScriptedVerifier(SCORES | ANSWERS | {"7": 0.5})
    attempt, _, _ = await solve(early, {**SCRIPT, **others}, verifier=verifier)
    assert "7" in {c.answer for c in attempt.candidates}

    late = ParticleFilter(n=4, anneal=True, max_steps=2)  # after one of two steps it is not early any more
    attempt, _, _ = await solve(late, {**SCRIPT, **others}, verifier=ScriptedVerifier(SCORES | ANSWERS))
    assert "7" not in {c.answer for c in attempt.candidates}


def test_annealing_by_the_effective_sample_size_is_milder() -> None:
    scores = [2 / 3, 1 / 21, 1 / 21, 1 / 21]
    weights = softmax([log_odds(score) for score in scores])
    share = effective_share(weights)
    flat = ess_temperature(weights, progress=1 / 40)
    assert flat == pytest.approx(39 / 40 / share)
    assert ess_temperature(weights, progress=0.9) == pytest.approx(1.0)
    assert ess_temperature([0.25] * 4, progress=0.1) == pytest.approx(1.0)
    with pytest.raises(ValueError, match=r"strategy\.anneal_by must be one of ess, entropy"):
        ParticleFilter(anneal_by="time")


async def test_the_same_run_draws_the_same_particles() -> None:
    fair = {"": [f" s{i}\n\n" for i in range(6)]} | {f" s{i}\n\n": [END.format(i)] for i in range(6)}
    scores = {f"s{i}": 0.2 + 0.1 * i for i in range(6)} | {str(i): 0.5 for i in range(6)}
    runs = [await solve(ParticleFilter(n=6), fair, verifier=ScriptedVerifier(scores)) for _ in range(2)]
    first, second = ([c.answer for c in attempt.candidates] for attempt, _, _ in runs)
    assert first == second
    assert len(set(first)) < 6
