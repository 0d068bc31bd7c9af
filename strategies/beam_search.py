"""Beam search over reasoning steps (Snell et al., arXiv 2408.03314, section 5.2), guided by a verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.toolkit.search import BeamedSearch, Node


@dataclass(frozen=True, kw_only=True)
class BeamSearch(BeamedSearch):
    """`n` beams grow step by step; after each, the best `n / beam_width` go on, in `beam_width` copies each.

    Finished beams leave; the answer is chosen among the first `n` of them. Equal beams count once unless
    `filter_duplicates` is off. With `lookahead` k, a beam is kept for what k further greedy steps score.
    """

    filter_duplicates: bool = True

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Grow, keep the best, copy them; until `n` beams have finished or none is left."""
        search = self.begin(problem, llm, verifier)
        beams = [search.plant()] * self.n
        finished: list[Node] = []
        while beams and len(finished) < self.n:
            grown = await search.grow(beams, lookahead=self.lookahead)
            finished += [node for node in grown if search.is_finished(node)]
            active = [node for node in grown if not search.is_finished(node)]
            beams = self._copies(self._best(active))
        return await search.attempt(finished[: self.n])

    def _best(self, nodes: Sequence[Node]) -> list[Node]:
        if self.filter_duplicates:
            nodes = list({node.trace.token_ids: node for node in nodes}.values())
        return sorted(nodes, key=lambda node: -node.score)[: self.n // self.beam_width]

    def _copies(self, kept: Sequence[Node]) -> list[Node]:
        return list(islice(cycle(kept), self.n))
