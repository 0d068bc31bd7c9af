"""A vote that stops sampling once it is settled: Adaptive-Consistency and Early-Stopping Self-Consistency.

Drawing few traces at a time, as published, saves tokens and adds up latency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.protocols.bounds import number, one_of, whole
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.sampled import Sampled
from tts_eval.toolkit.voting import beta_confidence, plurality


@dataclass(frozen=True, kw_only=True)
class AdaptiveVote(Sampled):
    """Up to `max_n` traces are drawn, `batch` at a time; the vote is over when `criterion` says so.

    `batch` null is what the authors draw: one trace for beta, a whole window for esc.
    `beta`: the leading answer is the more frequent one with probability `threshold`, given how often it and
    the runner-up were drawn (Aggarwal et al., arXiv 2305.11860, section 3). `esc`: a window of `window`
    traces is unanimous; its answer is the answer (Li et al., arXiv 2401.10480). Otherwise the most
    frequent of all drawn is; a tie goes to the one drawn first, unparsed answers never win.
    """

    criterion: str = one_of("beta", ("beta", "esc"))
    max_n: int = whole(40, minimum=1)
    batch: int | None = whole(None, minimum=1, maximum="max_n")
    threshold: float = number(0.95, minimum=0.5, maximum=1.0)
    window: int = whole(5, minimum=2)

    def check(self, setup: Setup) -> None:
        """Raise ValueError for a bound that the model's length cannot hold, and for greedy samples."""
        super().check(setup)
        self.check_drawn("strategy.max_n", self.max_n, setup.model)

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return all the traces of a vote that is never settled."""
        return self.trace_spend(room_tokens) * self.max_n

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Draw batches until the vote is settled."""
        batch = self.batch or (self.window if self.criterion == "esc" else 1)
        candidates: list[Candidate] = []
        answer: str | None = None
        while answer is None and len(candidates) < self.max_n:
            traces = await llm.extend(
                llm.start(problem),
                n=min(batch, self.max_n - len(candidates)),
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                top_p=self.top_p,
            )
            candidates += [Candidate.of(trace, llm.answer(trace)) for trace in traces]
            answers = [candidate.answer for candidate in candidates]
            answer = await self._settled(llm, answers)
            standing = answer or await plurality(llm, answers)
            llm.interim(standing, tuple(candidates))
        return Attempt(standing, tuple(candidates))

    async def _settled(self, llm: LanguageModel, answers: Sequence[str | None]) -> str | None:
        """Return the answer on which the vote is over, None while it is not."""
        if self.criterion == "beta":
            groups = await llm.group(answers)
            counts = [*map(len, groups), 0, 0]
            is_settled = bool(groups) and beta_confidence(counts[0], counts[1]) >= self.threshold
            return answers[groups[0][0]] if is_settled else None
        for start in range(0, len(answers) - self.window + 1, self.window):
            window = answers[start : start + self.window]
            groups = await llm.group(window)
            if groups and len(groups[0]) == self.window:
                return window[0]
        return None
