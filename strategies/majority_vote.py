"""Majority vote, or self-consistency (Wang et al., arXiv 2203.11171): sample n traces and let them vote."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tts_eval import checks
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit import composition
from tts_eval.toolkit.voting import draw_and_choose, plurality


@dataclass(frozen=True)
class MajorityVote:
    """`n` traces vote; answers are the same where they are mathematically equivalent.

    A tie goes to the answer that was sampled first; unparsed answers never win. `temperature` null is the
    model's recommended one; `max_tokens` bounds each trace. With a `sampler`, another strategy casts each
    ballot in place of a plain trace; the sampling is then its own.
    """

    n: int = 16
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    sampler: Strategy | None = None

    def __post_init__(self) -> None:
        checks.whole_number("strategy.n", self.n, minimum=1)
        checks.sampling(self.temperature, self.top_p)
        checks.optional_whole_number("strategy.max_tokens", self.max_tokens, minimum=1)
        if self.sampler is not None and (self.temperature, self.top_p, self.max_tokens) != (None,) * 3:
            raise ValueError(
                "strategy.temperature, top_p and max_tokens are the sampler's where there is a "
                "strategy.sampler; set strategy.sampler.temperature and so on"
            )

    def check_model(self, model: Model, *, room_tokens: int) -> None:
        """Raise ValueError for a bound that the model's length cannot hold, and for greedy samples."""
        checks.fits("strategy.max_tokens", self.max_tokens, room_tokens)
        if self.sampler is not None:
            composition.check_model(self.sampler, model, room_tokens=room_tokens)
        composition.check_drawn("strategy.n", self.n, self, model)

    def check_parts(self, *, verifier: object, roles: Collection[str], is_speculative: bool) -> None:
        """Reject what the sampler refuses."""
        if self.sampler is not None:
            composition.check_parts(
                self.sampler, verifier=verifier, roles=roles, is_speculative=is_speculative
            )

    def max_spend(self, *, room_tokens: int) -> MaxSpend | None:
        """Return n times what one ballot may spend."""
        if self.sampler is None:
            return MaxSpend(1, self.max_tokens or room_tokens) * self.n
        ballot = composition.max_spend(self.sampler, room_tokens=room_tokens)
        return None if ballot is None else ballot * self.n

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample all ballots at once and count them as they come in."""

        async def ballot() -> Candidate:
            if self.sampler is not None:
                return (await self.sampler.solve(problem, llm.as_part(), verifier)).chosen
            [trace] = await llm.extend(
                llm.start(problem), max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p
            )
            return Candidate.of(trace, llm.answer(trace))

        async def count(ballots: Sequence[Candidate]) -> str | None:
            return await plurality(llm, [cast.answer for cast in ballots])

        return await draw_and_choose(llm, self.n, ballot, count)
