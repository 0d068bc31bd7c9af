"""Chain of thought (Wei et al., arXiv 2201.11903): think once, answer once. The baseline."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.toolkit.sampled import Sampled


@dataclass(frozen=True, kw_only=True)
class Cot(Sampled):
    """One trace, greedy unless `temperature` says otherwise."""

    temperature: float | None = 0.0

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer with the one trace."""
        trace = await self.sample(llm, problem)
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))
