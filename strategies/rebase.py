"""Reward balanced search, REBASE (Wu et al., arXiv 2408.00724, section 3.2).

How many children a node gets, `tts_eval.toolkit.resampling` works out.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import number
from tts_eval.records import Attempt, Problem
from tts_eval.toolkit.resampling import rebase_allocation
from tts_eval.toolkit.search import Node, WideSearch


@dataclass(frozen=True, kw_only=True)
class Rebase(WideSearch):
    """`n` steps a depth, shared out among its nodes by a softmax of their scores at `balance_temperature`.

    Each finished trace takes its place out of the width; the search ends when `n` have finished.
    """

    balance_temperature: float = number(0.2, minimum=1e-3)
    answer_by: str = "weighted"

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Grow depth by depth; every depth's children are shared out by the scores of the one before."""
        search = self.begin(problem, llm, verifier)
        parents = [search.plant()] * self.n
        finished: list[Node] = []
        while parents:
            grown = await search.grow(parents)
            finished += [node for node in grown if search.is_finished(node)]
            active = [node for node in grown if not search.is_finished(node)]
            scores = [node.score for node in active]
            counts = rebase_allocation(scores, self.n - len(finished), temperature=self.balance_temperature)
            parents = [node for node, count in zip(active, counts, strict=True) for _ in range(count)]
        return await search.attempt(finished)
