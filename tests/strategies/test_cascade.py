"""A cascade spends more only where the cheap strategy does not settle the problem."""

from dataclasses import dataclass, replace

import pytest

from strategies.best_of_n import BestOfN
from strategies.cascade import Cascade
from strategies.cot import Cot
from strategies.majority_vote import MajorityVote
from strategies.weighted_vote import WeightedVote
from tts_eval.llm.scripted import MODEL, ScriptedVerifier, solve
from tts_eval.protocols import Setup
from tts_eval.records import Problem
from tts_eval.spend import MaxSpend

SAMPLING = replace(MODEL, temperature=0.6)
VOTE = MajorityVote(n=4)
FOUR_ALIKE = [" a </think> \\boxed{41}"] * 4
TWO_OF_FOUR = [f" a </think> \\boxed{{{answer}}}" for answer in ("41", "40", "41", "43")]
LONGER = " a b c </think> \\boxed{42}"


async def test_four_of_one_mind_settle_it() -> None:
    attempt, engine, _ = await solve(Cascade(VOTE, Cot()), {"": [*FOUR_ALIKE, LONGER]})
    assert (attempt.answer, len(engine.requests)) == ("41", 4)


async def test_disagreement_escalates_and_both_are_paid_for() -> None:
    attempt, engine, meter = await solve(Cascade(VOTE, Cot()), {"": [*TWO_OF_FOUR, LONGER]})
    assert (attempt.answer, len(engine.requests)) == ("42", 5)
    assert len(attempt.candidates) == 5
    assert meter.spend().num_generated_tokens == 4 * 3 + 5
    assert "41" in [interim.answer for interim in meter.interims]  # stood while the strong one worked


async def test_half_is_enough_where_half_is_asked_for() -> None:
    attempt, engine, _ = await solve(Cascade(VOTE, Cot(), threshold=0.5), {"": [*TWO_OF_FOUR, LONGER]})
    assert (attempt.answer, len(engine.requests)) == ("41", 4)


async def test_a_best_of_n_that_convinces_nobody_goes_to_chain_of_thought() -> None:
    cascade = Cascade(BestOfN(n=2), Cot(), escalate_on="confidence", threshold=0.8)
    script = {"": [" a </think> \\boxed{40}", " a </think> \\boxed{41}", LONGER]}
    doubtful, _, _ = await solve(cascade, script, verifier=ScriptedVerifier({"{40}": 0.6, "{41}": 0.7}))
    assert doubtful.answer == "42"
    sure, engine, _ = await solve(cascade, script, verifier=ScriptedVerifier({"{40}": 0.6, "{41}": 0.9}))
    assert (sure.answer, len(engine.requests)) == ("41", 2)


async def test_confidence_is_that_of_the_answer_s_best_candidate() -> None:
    """Three texts give 1/2; the first one of them is the least trusted."""
    cascade = Cascade(BestOfN(n=3), Cot(), escalate_on="confidence", threshold=0.8)
    script = {
        "": [" a </think> \\boxed{0.5}", " b </think> \\boxed{1/2}", " c </think> \\boxed{0.5}", LONGER]
    }
    scores = {" a": 0.3, " b": 0.2, " c": 0.9, "LONGER": 0.0}
    sure, engine, _ = await solve(cascade, script, verifier=ScriptedVerifier(scores))
    assert (sure.answer, len(engine.requests)) == ("0.5", 3)

    by_share = Cascade(WeightedVote(n=3), Cot(), escalate_on="confidence", threshold=0.8)
    sure, engine, _ = await solve(by_share, script, verifier=ScriptedVerifier(scores))
    assert (sure.answer, len(engine.requests)) == ("0.5", 3)
    Cascade(WeightedVote(), Cot(), escalate_on="confidence", threshold=12.5)  # DeepConf's have no bound


async def test_a_cheap_attempt_without_an_answer_is_never_settled() -> None:
    script = {"": [" still thinking"] * 4 + [LONGER]}
    attempt, _, _ = await solve(Cascade(VOTE, Cot(), threshold=0.0), script)
    assert attempt.answer == "42"


@dataclass(frozen=True)
class Fixed:
    """Expects a cheap attempt at any problem to fail with the same chance."""

    chance: float

    def of(self, problem: Problem) -> float:
        return self.chance


async def test_what_is_expected_to_be_hard_goes_to_the_strong_one_at_once() -> None:
    def cascade(chance: float) -> Cascade:
        return Cascade(Cot(), Cot(), escalate_on="difficulty", threshold=0.6, difficulty=Fixed(chance))

    _, easy, _ = await solve(cascade(0.2), {"": [" </think> \\boxed{41}", LONGER]})
    assert len(easy.requests) == 1
    hard, engine, _ = await solve(cascade(0.7), {"": [LONGER]})
    assert (hard.answer, len(engine.requests)) == ("42", 1)


def test_it_may_spend_what_both_may() -> None:
    cascade = Cascade(MajorityVote(n=4, max_tokens=10), Cot(max_tokens=100))
    assert cascade.max_spend(900) == MaxSpend(5, 140)
    by_role = Cascade(MajorityVote(n=4, max_tokens=10), Cot(max_tokens=100), cheap_role="weak")
    assert by_role.max_spend(900) == MaxSpend(5, 100)  # tokens are the policy's


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs a strategy\.cheap that draws at least 2 samples, not 1"):
        Cascade(Cot(), Cot()).check(Setup(MODEL, 900))
    with pytest.raises(ValueError, match=r"strategy\.max_tokens is 1000 tokens; .* leaves 900"):
        Cascade(VOTE, Cot(max_tokens=1000)).check(Setup(SAMPLING, 900))
    with pytest.raises(ValueError, match=r"strategy\.cheap_role must be one of policy, not 'weak'"):
        Cascade(VOTE, Cot(), cheap_role="weak").check(Setup(SAMPLING, 900))
    with pytest.raises(ValueError, match="strategy=best_of_n needs a verifier"):
        Cascade(VOTE, BestOfN()).check(Setup(SAMPLING, 900))
    with pytest.raises(
        ValueError, match=r"strategy\.difficulty is needed by strategy\.escalate_on=difficulty"
    ):
        Cascade(VOTE, Cot(), escalate_on="difficulty")
