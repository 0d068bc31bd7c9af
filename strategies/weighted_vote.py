"""Weighted vote (Li et al., arXiv 2206.02336, section 3.2): answers weigh what a verifier gives them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tts_eval import checks
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit import composition
from tts_eval.toolkit.voting import (
    AGGREGATIONS,
    check_weights,
    draw_and_choose,
    scored,
    scores_of,
    weighted_plurality,
)


@dataclass(frozen=True)
class WeightedVote:
    """`n` traces vote, each with its score as weight; the scores of its steps make one by `aggregation`.

    A tie goes to the answer that was sampled first; unparsed answers never win.
    """

    n: int = 16
    aggregation: str = "min"
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        checks.whole_number("strategy.n", self.n, minimum=1)
        checks.one_of("strategy.aggregation", self.aggregation, AGGREGATIONS)
        checks.sampling(self.temperature, self.top_p)
        checks.optional_whole_number("strategy.max_tokens", self.max_tokens, minimum=1)

    def check_model(self, model: Model, *, room_tokens: int) -> None:
        """Raise ValueError for a bound that the model's length cannot hold, and for greedy samples."""
        checks.fits("strategy.max_tokens", self.max_tokens, room_tokens)
        composition.check_drawn("strategy.n", self.n, self, model)

    def check_parts(self, *, verifier: object, roles: Collection[str], is_speculative: bool) -> None:
        """Reject to go without a verifier, or with scores that are no weights."""
        checks.given("verifier", verifier, needed_by="weighted_vote")
        check_weights(verifier, needed_by="strategy=weighted_vote")

    def max_spend(self, *, room_tokens: int) -> MaxSpend:
        """Return n traces."""
        return MaxSpend(1, self.max_tokens or room_tokens) * self.n

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample and score all ballots at once and weigh them as they come in."""
        assert verifier is not None

        async def ballot() -> Candidate:
            [trace] = await llm.extend(
                llm.start(problem), max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p
            )
            return await scored(llm, verifier, problem, trace, aggregation=self.aggregation)

        async def weigh(ballots: Sequence[Candidate]) -> str | None:
            return await weighted_plurality(llm, [cast.answer for cast in ballots], scores_of(ballots))

        return await draw_and_choose(llm, self.n, ballot, weigh)
