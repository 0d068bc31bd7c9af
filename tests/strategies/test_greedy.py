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
from tests.scripted import MODEL
from tts_eval.protocols import Strategy
from tts_eval.toolkit.composition import check_model, is_greedy

SAMPLING = replace(MODEL, temperature=0.6, no_thinking_kwargs={"enable_thinking": False})
KINDS = (
    *(AdaptiveVote, BeamSearch, BestOfN, DeepConfOffline, DeepConfOnline, Dvts, MajorityVote, Mcts),
    *(ParticleFilter, Rebase, SelfAggregation, WeightedVote),
)


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_samples_raise_whether_the_strategy_or_the_model_has_them_greedy(kind: type) -> None:
    with pytest.raises(ValueError, match="samples at temperature 0 are all the same"):
        check_model(kind(temperature=0.0), SAMPLING, room_tokens=9000)
    with pytest.raises(ValueError, match=r"or null for the model's own \(scripted: 0\)"):
        check_model(kind(), MODEL, room_tokens=9000)
    with pytest.raises(ValueError, match="are all the same"):
        check_model(kind(), replace(SAMPLING, top_k=1), room_tokens=9000)
    check_model(kind(), SAMPLING, room_tokens=9000)
    check_model(kind(temperature=0.7), MODEL, room_tokens=9000)


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
        check_model(MajorityVote(n=8, sampler=sampler), SAMPLING, room_tokens=9000)
    with pytest.raises(ValueError, match=r"strategy\.n=8 samples at temperature 0"):
        vote = MajorityVote(n=8, sampler=sampler)
        check_model(Cascade(Cot(), vote, escalate_on="confidence"), SAMPLING, room_tokens=9000)


def test_one_sample_may_be_greedy_and_a_sampler_that_samples_may_vote() -> None:
    check_model(MajorityVote(n=1), MODEL, room_tokens=9000)
    check_model(MajorityVote(n=8, sampler=BudgetedCot(temperature=None)), SAMPLING, room_tokens=9000)
    check_model(MajorityVote(n=8, sampler=EarlyExit()), SAMPLING, room_tokens=9000)


def test_which_strategies_are_greedy() -> None:
    assert is_greedy(Cot(), SAMPLING)
    assert is_greedy(EarlyExit(), MODEL)
    assert not is_greedy(Cot(temperature=None), SAMPLING)
    assert not is_greedy(Cascade(Cot(), MajorityVote(), escalate_on="confidence"), SAMPLING)
