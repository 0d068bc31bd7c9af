"""Particle filtering (Puri et al., arXiv 2502.01618), with entropic annealing as an option.

How particles are resampled, `tts_eval.toolkit.resampling` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import one_of
from tts_eval.records import Attempt, Problem
from tts_eval.toolkit.resampling import (
    annealed_temperature,
    effective_share,
    ess_temperature,
    log_odds,
    softmax,
    systematic,
)
from tts_eval.toolkit.search import Node, WideSearch

COLLAPSED = 0.5  # weights are annealed while their effective sample size is a smaller share than this
ANNEALING = {"ess": ess_temperature, "entropy": annealed_temperature}
EARLY = 0.5  # ... and before this share of the steps


@dataclass(frozen=True, kw_only=True)
class ParticleFilter(WideSearch):
    """`n` particles grow a step each and are resampled by the score of what they have become, step by step.

    A weight is the softmax of the log odds of the score; finished particles keep theirs and may be copied.
    `anneal` flattens the weights as long as they collapse early in the search (`max_steps` says how early
    it is), so that one lucky first step does not take everything: by their entropy or, as
    its_hub does by default, by their effective sample size (`anneal_by` ess).
    """

    anneal: bool = False
    anneal_by: str = one_of("entropy", tuple(ANNEALING))
    aggregation: str = "product"

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Propagate, weigh, resample; until every particle has finished."""
        search = self.begin(problem, llm, verifier)
        particles = [search.plant()] * self.n
        num_steps = 0
        while True:
            growing = [node for node in particles if not search.is_finished(node)]
            grown = iter(await search.grow(growing))
            particles = [node if search.is_finished(node) else next(grown) for node in particles]
            num_steps += 1
            if all(search.is_finished(node) for node in particles):
                return await search.attempt(particles)
            weights = self._weights(particles, progress=num_steps / self.max_steps)
            chosen = systematic(weights, llm.uniform(f"resampling {num_steps}"))
            particles = [particles[index] for index in chosen]

    def _weights(self, particles: Sequence[Node], *, progress: float) -> list[float]:
        logits = [log_odds(node.score) for node in particles]
        weights = softmax(logits)
        if self.anneal and effective_share(weights) < COLLAPSED and progress < EARLY:
            return softmax(logits, temperature=ANNEALING[self.anneal_by](weights, progress=progress))
        return weights
