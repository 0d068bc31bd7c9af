"""Best of n (Cobbe et al., arXiv 2110.14168, section 4.2): the trace that a verifier scores highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.toolkit.sampled import Scored
from tts_eval.toolkit.voting import (
    best_scored,
    check_weights,
    draw_and_choose,
    scores_of,
    weighted_plurality,
)


@dataclass(frozen=True, kw_only=True)
class BestOfN(Scored):
    """The answer of the best of `n` traces; the scores of a trace's steps make one by `aggregation`.

    `weighted` adds the scores of equivalent answers up and takes the heaviest one (weighted best-of-n, Snell
    et al., arXiv 2408.03314, section 5.1). A tie goes to the answer that was sampled first; unparsed answers
    never win.
    """

    weighted: bool = False

    def check(self, setup: Setup) -> None:
        """Reject scores that are no weights where they are to weigh."""
        super().check(setup)
        if self.weighted:
            check_weights(setup.verifier, needed_by="strategy.weighted=true")

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample and score all traces at once; the best of those that are in stands meanwhile."""

        async def choose(candidates: Sequence[Candidate]) -> str | None:
            answers, scores = [c.answer for c in candidates], scores_of(candidates)
            if self.weighted:
                return await weighted_plurality(llm, answers, scores)
            return best_scored(answers, scores)

        return await draw_and_choose(llm, self.n, lambda: self.draw(problem, llm, verifier), choose)
