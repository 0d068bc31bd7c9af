"""Best of n (Cobbe et al., arXiv 2110.14168, section 4.2): the trace that a verifier scores highest."""

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
    best_scored,
    check_weights,
    draw_and_choose,
    scored,
    scores_of,
    weighted_plurality,
)


@dataclass(frozen=True)
class BestOfN:
    """The answer of the best of `n` traces; the scores of a trace's steps make one by `aggregation`.

    `weighted` adds the scores of equivalent answers up and takes the heaviest one (weighted best-of-n, Snell
    et al., arXiv 2408.03314, section 5.1). A tie goes to the answer that was sampled first; unparsed answers
    never win.
    """

    n: int = 16
    aggregation: str = "min"
    weighted: bool = False
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        checks.whole_number("strategy.n", self.n, minimum=1)
        checks.one_of("strategy.aggregation", self.aggregation, AGGREGATIONS)
        checks.one_of("strategy.weighted", self.weighted, (True, False))
        checks.sampling(self.temperature, self.top_p)
        checks.optional_whole_number("strategy.max_tokens", self.max_tokens, minimum=1)

    def check_model(self, model: Model, *, room_tokens: int) -> None:
        """Raise ValueError for a bound that the model's length cannot hold, and for greedy samples."""
        checks.fits("strategy.max_tokens", self.max_tokens, room_tokens)
        composition.check_drawn("strategy.n", self.n, self, model)

    def check_parts(self, *, verifier: object, roles: Collection[str], is_speculative: bool) -> None:
        """Reject to go without a verifier; weighted, with scores that are no weights."""
        checks.given("verifier", verifier, needed_by="best_of_n")
        if self.weighted:
            check_weights(verifier, needed_by="strategy.weighted=true")

    def max_spend(self, *, room_tokens: int) -> MaxSpend:
        """Return n traces."""
        return MaxSpend(1, self.max_tokens or room_tokens) * self.n

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample and score all traces at once; the best of those that are in stands meanwhile."""
        assert verifier is not None

        async def sample() -> Candidate:
            [trace] = await llm.extend(
                llm.start(problem), max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p
            )
            return await scored(llm, verifier, problem, trace, aggregation=self.aggregation)

        async def choose(candidates: Sequence[Candidate]) -> str | None:
            answers, scores = [c.answer for c in candidates], scores_of(candidates)
            if self.weighted:
                return await weighted_plurality(llm, answers, scores)
            return best_scored(answers, scores)

        return await draw_and_choose(llm, self.n, sample, choose)
