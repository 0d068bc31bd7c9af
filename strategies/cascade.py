"""Cascade (FrugalGPT, Chen et al., arXiv 2305.05176, section 3): a cheap strategy first, then a strong one.

Both are configured. What routing costs (a difficulty score's time, a verifier's calls) is the problem's own
time and spend.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tts_eval import checks
from tts_eval.protocols import Difficulty, LanguageModel, Setup, Strategy, Verifier
from tts_eval.protocols.bounds import one_of
from tts_eval.records import Attempt, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.voting import agreement, check_weights


@dataclass(frozen=True)
class Cascade(Strategy):
    """`strong` solves what `cheap` does not settle; each may run on the model of a role of its own.

    `agreement`: the cheap answer stands if at least `threshold` of the cheap candidates give it (Yue et al.,
    arXiv 2310.03094). `confidence`: it stands if the best score of the candidates that give it is at least
    `threshold`, on whatever scale the cheap strategy scores.
    `difficulty`: the cheap strategy is not even tried where `difficulty` expects it to fail with a chance of
    `threshold` or more. A cheap attempt without an answer is never settled.
    """

    cheap: Strategy
    strong: Strategy
    escalate_on: str = one_of("agreement", ("agreement", "confidence", "difficulty"))
    threshold: float = 0.75
    difficulty: Difficulty | None = None
    cheap_role: str = "policy"
    strong_role: str = "policy"

    def __post_init__(self) -> None:
        super().__post_init__()
        highest = None if self.escalate_on == "confidence" else 1.0  # DeepConf's have no bound
        checks.number("strategy.threshold", self.threshold, minimum=0.0, maximum=highest)
        if (self.difficulty is None) == (self.escalate_on == "difficulty"):
            raise ValueError(
                "strategy.difficulty is needed by strategy.escalate_on=difficulty, and by no other; "
                f"escalate_on is {self.escalate_on!r}"
            )

    def check(self, setup: Setup) -> None:
        """Reject roles that no model plays, what either strategy rejects, and an agreement of one."""
        for name, role in (("cheap_role", self.cheap_role), ("strong_role", self.strong_role)):
            checks.one_of(f"strategy.{name}", role, tuple(setup.roles))
        cheap = setup.as_role(self.cheap_role)
        self.cheap.check(cheap)
        self.strong.check(setup.as_role(self.strong_role))
        if self.escalate_on == "confidence":
            check_weights(setup.verifier, needed_by="strategy.escalate_on=confidence")
        spend = self.cheap.max_spend(cheap.room_tokens)
        if self.escalate_on == "agreement" and spend is not None and spend.num_samples < 2:
            raise ValueError(
                "strategy.escalate_on=agreement needs a strategy.cheap that draws at least 2 samples, not 1"
            )

    def max_spend(self, room_tokens: int) -> MaxSpend | None:
        """Return what both may spend of the policy."""
        total = MaxSpend(0, 0)
        for strategy, role in ((self.cheap, self.cheap_role), (self.strong, self.strong_role)):
            spend = strategy.max_spend(room_tokens)
            if spend is None:
                return None
            total += spend if role == "policy" else MaxSpend(spend.num_samples, 0)
        return total

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Let the cheap strategy try unless it is expected to fail; escalate what it does not settle."""
        tried: Attempt | None = None
        if self.difficulty is None or self.difficulty.of(problem) < self.threshold:
            tried = await self.cheap.solve(problem, llm.as_role(self.cheap_role), verifier)
            llm.interim(tried.answer, tried.candidates)
            if await self._is_settled(tried, llm):
                return tried
        attempt = await self.strong.solve(problem, llm.as_role(self.strong_role), verifier)
        if tried is None:
            return attempt
        return replace(attempt, candidates=tried.candidates + attempt.candidates)

    async def _is_settled(self, tried: Attempt, llm: LanguageModel) -> bool:
        if tried.answer is None:
            return False
        match self.escalate_on:
            case "agreement":
                answers = [candidate.answer for candidate in tried.candidates]
                return await agreement(llm, answers) >= self.threshold
            case "confidence":
                return await self._confidence(tried, llm) >= self.threshold
            case _:
                return True

    async def _confidence(self, tried: Attempt, llm: LanguageModel) -> float:
        """Return the best score of the candidates whose answer is the one that was chosen."""
        answers = [candidate.answer for candidate in tried.candidates]
        chosen = len(answers)  # grouped with the rest, the chosen answer is in its own class
        groups = await llm.group([*answers, tried.answer])
        alike = next(group for group in groups if chosen in group)
        scores = [tried.candidates[place].score for place in alike if place != chosen]
        known = [score for score in scores if score is not None]
        if not known:
            raise ValueError("strategy.escalate_on=confidence needs a strategy.cheap that scores")
        return max(known)
