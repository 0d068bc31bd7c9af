"""Diverse verifier tree search (Beeching et al., "Scaling test-time compute with open models", 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.concurrency import together
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.toolkit.search import BeamedSearch, Node, Search


@dataclass(frozen=True, kw_only=True)
class Dvts(BeamedSearch):
    """`n / beam_width` independent subtrees, each of which goes on with the best of `beam_width` steps.

    A subtree ends when its best step finishes the trace; the answer is chosen among the `beam_width` last
    steps of all subtrees. With `lookahead` k, a step is judged by what k further greedy steps score.
    """

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
