"""Weighted vote (Li et al., arXiv 2206.02336, section 3.2): answers weigh what a verifier gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.toolkit.sampled import Scored
from tts_eval.toolkit.voting import (
    check_weights,
    draw_and_choose,
    scores_of,
    weighted_plurality,
)


@dataclass(frozen=True, kw_only=True)
class WeightedVote(Scored):
    """`n` traces vote, each with its score as weight; the scores of its steps make one by `aggregation`.

    A tie goes to the answer that was sampled first; unparsed answers never win.
    """

    def check(self, setup: Setup) -> None:
        """Reject scores that are no weights."""
        super().check(setup)
        check_weights(setup.verifier, needed_by="strategy=weighted_vote")

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample and score all ballots at once and weigh them as they come in."""

        async def weigh(ballots: Sequence[Candidate]) -> str | None:
            return await weighted_plurality(llm, [cast.answer for cast in ballots], scores_of(ballots))

        return await draw_and_choose(llm, self.n, lambda: self.draw(problem, llm, verifier), weigh)
