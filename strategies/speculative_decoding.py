"""Chain of thought on an engine that drafts tokens and verifies them (Leviathan et al., arXiv 2211.17192).

The step-level kind, which changes the output, is speculative_reasoning.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.toolkit.sampled import Sampled


@dataclass(frozen=True, kw_only=True)
class SpeculativeDecoding(Sampled):
    """One trace, greedy (temperature 0: the very tokens of `cot`) or sampled (null: the model's sampling)."""

    temperature: float | None = 0.0

    def check(self, setup: Setup) -> None:
        """Reject an engine that does not speculate: it would be plain chain of thought under another name."""
        super().check(setup)
        if not setup.is_speculative:
            raise ValueError(
                "strategy=speculative_decoding needs an engine that speculates: "
                "speculation=ngram, draft, eagle3, mtp or suffix"
            )

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer with the one trace."""
        trace = await self.sample(llm, problem)
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))
