"""Chain of thought on an engine that drafts tokens and verifies them (Leviathan et al., arXiv 2211.17192).

The step-level kind, which changes the output, is speculative_reasoning.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tts_eval import checks
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.spend import MaxSpend


@dataclass(frozen=True)
class SpeculativeDecoding:
    """One trace, greedy (temperature 0: the very tokens of `cot`) or sampled (null: the model's sampling)."""

    temperature: float | None = 0.0
    top_p: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        checks.sampling(self.temperature, self.top_p)
        checks.optional_whole_number("strategy.max_tokens", self.max_tokens, minimum=1)

    def check_model(self, model: Model, *, room_tokens: int) -> None:
        """Reject a bound that the model's length cannot hold."""
        checks.fits("strategy.max_tokens", self.max_tokens, room_tokens)

    def check_parts(self, *, verifier: object, roles: Collection[str], is_speculative: bool) -> None:
        """Reject an engine that does not speculate: it would be plain chain of thought under another name."""
        if not is_speculative:
            raise ValueError(
                "strategy=speculative_decoding needs an engine that speculates: "
                "speculation=ngram, draft, eagle3, mtp or suffix"
            )

    def max_spend(self, *, room_tokens: int) -> MaxSpend:
        """Return one trace."""
        return MaxSpend(1, self.max_tokens or room_tokens)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer with the one trace."""
        [trace] = await llm.extend(
            llm.start(problem), max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p
        )
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))
