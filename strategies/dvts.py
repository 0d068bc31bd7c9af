"""Diverse verifier tree search (Beeching et al., "Scaling test-time compute with open models", 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.concurrency import together
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.search import Node, Search, StepSearch


@dataclass(frozen=True, kw_only=True)
class Dvts(StepSearch):
    """`n / beam_width` independent subtrees, each of which goes on with the best of `beam_width` steps.

    A subtree ends when its best step finishes the trace; the answer is chosen among the `beam_width` last
    steps of all subtrees. With `lookahead` k, a step is judged by what k further greedy steps score.
    """

    n: int = 16
    beam_width: int = 4
    lookahead: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole_number("strategy.n", self.n, minimum=1)
        checks.divides("strategy.beam_width", self.beam_width, "strategy.n", self.n)
        checks.whole_number("strategy.lookahead", self.lookahead, minimum=0)

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return the most that all traces may cost."""
        return self.spend_of(self.n, room_tokens=room_tokens, lookahead=self.lookahead)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Search all subtrees at once."""
        search = self.begin(problem, llm, verifier)
        roots = [search.plant() for _ in range(self.n // self.beam_width)]
        last_steps = await together(self._descend(search, root) for root in roots)
        return await search.attempt([node for variants in last_steps for node in variants])

    async def _descend(self, search: Search, node: Node) -> list[Node]:
        while True:
            variants = await search.grow([node] * self.beam_width, lookahead=self.lookahead)
            node = max(variants, key=lambda variant: variant.score)
            if search.is_finished(node):
                return variants
