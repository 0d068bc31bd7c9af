"""Majority vote, or self-consistency (Wang et al., arXiv 2203.11171): sample n traces and let them vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.sampled import Repeated
from tts_eval.toolkit.voting import draw_and_choose, plurality


@dataclass(frozen=True, kw_only=True)
class MajorityVote(Repeated):
    """`n` traces vote; which answers are the same, the task says.

    A tie goes to the answer that was sampled first; unparsed answers never win. With a `sampler`, another
    strategy casts each ballot in place of a plain trace; the sampling is then its own.
    """

    sampler: Strategy | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sampler is not None and (self.temperature, self.top_p, self.max_tokens) != (None,) * 3:
            raise ValueError(
                "strategy.temperature, top_p and max_tokens are the sampler's where there is a "
                "strategy.sampler; set strategy.sampler.temperature and so on"
            )

    def max_spend(self, room_tokens: int) -> MaxSpend | None:
        """Return n times what one ballot may spend."""
        sampler = self.sampler
        ballot = self.trace_spend(room_tokens) if sampler is None else sampler.max_spend(room_tokens)
        return None if ballot is None else ballot * self.n

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample all ballots at once and count them as they come in."""

        async def ballot() -> Candidate:
            if self.sampler is not None:
                return (await self.sampler.solve(problem, llm.as_part(), verifier)).chosen
            trace = await self.sample(llm, problem)
            return Candidate.of(trace, llm.answer(trace))

        async def count(ballots: Sequence[Candidate]) -> str | None:
            return await plurality(llm, [cast.answer for cast in ballots])

        return await draw_and_choose(llm, self.n, ballot, count)
