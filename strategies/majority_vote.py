"""Majority vote, or self-consistency (Wang et al., arXiv 2203.11171): sample n traces and let them vote.

Knows no verifier: every parsed answer counts once.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.concurrency import together
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Candidate, Problem, Trace
from tts_eval.votes import plurality


@dataclass(frozen=True)
class MajorityVote:
    """`n` traces vote; answers are the same where they are mathematically equivalent.

    A tie goes to the answer that was sampled first; unparsed answers never win. `temperature` null is the
    model's recommended one; `max_tokens` bounds each trace.
    """

    n: int = 16
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        checks.whole_number("strategy.n", self.n, minimum=1)
        checks.sampling(self.temperature, self.top_p)
        checks.optional_whole_number("strategy.max_tokens", self.max_tokens, minimum=1)

    def check_model(self, model: Model, *, room_tokens: int) -> None:
        """Refuse a bound that the model's length cannot hold."""
        checks.fits("strategy.max_tokens", self.max_tokens, room_tokens)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Sample all traces at once and count their answers as they come in."""
        prompt = llm.start(problem)
        ballots: dict[int, str | None] = {}

        async def vote(voter: int) -> Trace:
            [trace] = await llm.extend(
                prompt, max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p
            )
            ballots[voter] = llm.answer(trace)
            llm.interim(await plurality(llm, [ballots[v] for v in sorted(ballots)]))
            return trace

        traces = await together(vote(voter) for voter in range(self.n))
        answers = [ballots[voter] for voter in range(self.n)]
        candidates = tuple(Candidate.of(trace, answer) for trace, answer in zip(traces, answers, strict=True))
        return Attempt(await plurality(llm, answers), candidates)
