"""Several samples at temperature 0 are one text paid for several times, which is said at once."""

from dataclasses import replace

import pytest

from strategies.adaptive_vote import AdaptiveVote
from strategies.beam_search import BeamSearch
from strategies.best_of_n import BestOfN
from strategies.budgeted_cot import BudgetedCot
from strategies.cascade import Cascade
from strategies.cot import Cot
from strategies.deepconf_offline import DeepConfOffline
from strategies.deepconf_online import DeepConfOnline
from strategies.direct import Direct
from strategies.dvts import Dvts
from strategies.early_exit import EarlyExit
from strategies.majority_vote import MajorityVote
from strategies.mcts import Mcts
from strategies.particle_filter import ParticleFilter
from strategies.rebase import Rebase
from strategies.self_aggregation import SelfAggregation
from strategies.trace_cache import TraceCache
from strategies.weighted_vote import WeightedVote
from tts_eval.llm.scripted import MODEL
from tts_eval.protocols import Setup, Strategy, Verifier

SAMPLING = replace(MODEL, temperature=0.6, no_thinking_kwargs={"enable_thinking": False})
KINDS = (
    *(AdaptiveVote, BeamSearch, BestOfN, DeepConfOffline, DeepConfOnline, Dvts, MajorityVote, Mcts),
    *(ParticleFilter, Rebase, SelfAggregation, WeightedVote),
)


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_samples_raise_whether_the_strategy_or_the_model_has_them_greedy(kind: type) -> None:
    with pytest.raises(ValueError, match="samples at temperature 0 are all the same"):
        kind(temperature=0.0).check(Setup(SAMPLING, 9000, Verifier()))
    with pytest.raises(ValueError, match=r"or null for the model's own \(scripted: 0\)"):
        kind().check(Setup(MODEL, 9000, Verifier()))
    with pytest.raises(ValueError, match="are all the same"):
        kind().check(Setup(replace(SAMPLING, top_k=1), 9000, Verifier()))
    kind().check(Setup(SAMPLING, 9000, Verifier()))
    kind(temperature=0.7).check(Setup(MODEL, 9000, Verifier()))


@pytest.mark.parametrize(
    "sampler",
    [
        Cot(),
        Direct(),
        BudgetedCot(),
        EarlyExit(temperature=0.0),
        TraceCache(Cot()),
        Cascade(Cot(), BudgetedCot(), escalate_on="confidence"),
        MajorityVote(n=1, sampler=Cot()),
    ],
)
def test_a_vote_over_a_greedy_sampler_raises_at_any_depth(sampler: Strategy) -> None:
    with pytest.raises(ValueError, match=r"strategy\.n=8 samples at temperature 0"):
        MajorityVote(n=8, sampler=sampler).check(Setup(SAMPLING, 9000, Verifier()))
    with pytest.raises(ValueError, match=r"strategy\.n=8 samples at temperature 0"):
        vote = MajorityVote(n=8, sampler=sampler)
        Cascade(Cot(), vote, escalate_on="confidence").check(Setup(SAMPLING, 9000, Verifier()))


def test_one_sample_may_be_greedy_and_a_sampler_that_samples_may_vote() -> None:
    MajorityVote(n=1).check(Setup(MODEL, 9000, Verifier()))
    MajorityVote(n=8, sampler=BudgetedCot(temperature=None)).check(Setup(SAMPLING, 9000, Verifier()))
    MajorityVote(n=8, sampler=EarlyExit()).check(Setup(SAMPLING, 9000, Verifier()))


def test_which_strategies_are_greedy() -> None:
    assert Cot().is_greedy(SAMPLING)
    assert EarlyExit().is_greedy(MODEL)
    assert not Cot(temperature=None).is_greedy(SAMPLING)
    assert not Cascade(Cot(), MajorityVote(), escalate_on="confidence").is_greedy(SAMPLING)
