"""DeepConf, offline (Fu et al., arXiv 2508.15260, section 3.2): a vote of the traces the model was surest of.

A trace without an answer neither votes nor has a part in what counts as sure.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.concurrency import together
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit import composition
from tts_eval.toolkit.confidence import MEASURES, percentile
from tts_eval.toolkit.voting import answered_scores, scores_of, weighted_plurality


@dataclass(frozen=True)
class DeepConfOffline:
    """`n` traces; the surest `keep` share of them vote, each with its confidence for weight.

    `measure` makes a trace's confidence of its tokens': mean, tail (the last `window` tokens), lowest (the
    lowest mean of `window` tokens in a row), bottom (the mean of the lowest tenth of those). A token's is the
    negative mean log-probability of the `num_likeliest` tokens in its place.
    """

    n: int = 16
    measure: str = "bottom"
    keep: float = 0.1
    window: int = 2048
    num_likeliest: int = 20
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        checks.whole_number("strategy.n", self.n, minimum=1)
        checks.one_of("strategy.measure", self.measure, tuple(MEASURES))
        checks.number("strategy.keep", self.keep, minimum=0.0, maximum=1.0)
        checks.whole_number("strategy.window", self.window, minimum=1)
        checks.whole_number("strategy.num_likeliest", self.num_likeliest, minimum=1)
        checks.sampling(self.temperature, self.top_p)
        checks.optional_whole_number("strategy.max_tokens", self.max_tokens, minimum=1)

    def check_model(self, model: Model, *, room_tokens: int) -> None:
        """Raise ValueError for a bound that the model's length cannot hold, and for greedy samples."""
        checks.fits("strategy.max_tokens", self.max_tokens, room_tokens)
        composition.check_drawn("strategy.n", self.n, self, model)

    def max_spend(self, *, room_tokens: int) -> MaxSpend:
        """Return what n traces of full length cost."""
        return MaxSpend(self.n, self.n * (room_tokens if self.max_tokens is None else self.max_tokens))

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample all traces at once; count the surest whenever one more has come in."""
        candidates: dict[int, Candidate] = {}

        async def sample(number: int) -> None:
            [trace] = await llm.extend(
                llm.start(problem),
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                top_p=self.top_p,
                num_logprobs=self.num_likeliest,
            )
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
