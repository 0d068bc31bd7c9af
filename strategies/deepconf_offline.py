"""DeepConf, offline (Fu et al., arXiv 2508.15260, section 3.2): a vote of the traces the model was surest of.

A trace without an answer neither votes nor has a part in what counts as sure.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.concurrency import together
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import number, one_of, whole
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.toolkit.confidence import MEASURES, percentile
from tts_eval.toolkit.sampled import Repeated
from tts_eval.toolkit.voting import answered_scores, scores_of, weighted_plurality


@dataclass(frozen=True, kw_only=True)
class DeepConfOffline(Repeated):
    """`n` traces; the surest `keep` share of them vote, each with its confidence for weight.

    `measure` makes a trace's confidence of its tokens': mean, tail (the last `window` tokens), lowest (the
    lowest mean of `window` tokens in a row), bottom (the mean of the lowest tenth of those). A token's is the
    negative mean log-probability of the `num_likeliest` tokens in its place.
    """

    measure: str = one_of("bottom", tuple(MEASURES))
    keep: float = number(0.1, minimum=0.0, maximum=1.0)
    window: int = whole(2048, minimum=1)
    num_likeliest: int = whole(20, minimum=1)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample all traces at once; count the surest whenever one more has come in."""
        candidates: dict[int, Candidate] = {}

        async def sample(number: int) -> None:
            trace = await self.sample(llm, problem, num_logprobs=self.num_likeliest)
            confidence = MEASURES[self.measure](trace.confidences or (), self.window)
            candidates[number] = Candidate.of(trace, llm.answer(trace), score=confidence)
            found = tuple(candidates[key] for key in sorted(candidates))
            llm.interim(await self._vote(llm, found), found)

        await together(sample(number) for number in range(self.n))
        found = tuple(candidates[number] for number in range(self.n))
        return Attempt(await self._vote(llm, found), found)

    async def _vote(self, llm: LanguageModel, candidates: tuple[Candidate, ...]) -> str | None:
        confidences = scores_of(candidates)
        least = percentile(answered_scores(candidates), 1 - self.keep)
        answers = [
            candidate.answer if confidence >= least else None
            for candidate, confidence in zip(candidates, confidences, strict=True)
        ]
        return await weighted_plurality(llm, answers, confidences)
