"""The shortest of n traces answers: a strategy of somebody else's.

It imports of tts_eval what any package may: protocols and records.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.protocols.bounds import whole
from tts_eval.records import Attempt, Candidate, Problem


@dataclass(frozen=True)
class Shortest(Strategy):
    """Sample `n` traces and answer with the shortest one that states an answer."""

    n: int = whole(4, minimum=1)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample all traces at once and pick one."""
        traces = await llm.extend(llm.start(problem), n=self.n)
        candidates = tuple(Candidate.of(trace, llm.answer(trace)) for trace in traces)
        parsed = [candidate for candidate in candidates if candidate.answer is not None]
        shortest = min(parsed, key=lambda candidate: candidate.num_tokens, default=None)
        return Attempt(shortest.answer if shortest else None, candidates)
