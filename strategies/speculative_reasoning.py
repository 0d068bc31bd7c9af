"""Step-level speculation: a draft model proposes each step, and a better judge keeps or rewrites it.

SpecReason (Pan et al., arXiv 2504.07891) asks the large model to rate the step, RSD (Liao et al., arXiv
2501.19324) a process reward model. Unlike speculative decoding this changes what is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tts_eval import checks
from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.protocols.bounds import number, one_of, whole
from tts_eval.records import Attempt, Candidate, Problem, Trace
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.sampled import Tempered
from tts_eval.toolkit.steps import StepSampling, carried_over, grow_step, grow_to_end, is_finished

DRAFT = "draft"
HIGHEST_RATING = 9


@dataclass(frozen=True, kw_only=True)
class SpeculativeReasoning(Tempered):
    """Each step is drafted by the role `draft`, and kept if its score reaches `threshold`.

    `judge` prm: the score is the verifier's for the step (RSD). `judge` model: in the next turn of the
    dialogue the user asks `rating_prompt` about what has been written; the policy, made to begin with
    `rating_lead_in`, says a digit, of which 9 is a score of 1 (SpecReason, section 4.1, keeps 7 and more). A
    step that is not kept is written by the policy; so is all that follows `max_steps` steps.
    """

    judge: str = one_of("prm", ("prm", "model"))
    threshold: float = number(0.7, minimum=0.0, maximum=1.0)
    rating_prompt: str = (
        "Rate the last step of this reasoning by whether it is right and follows from those before it. "
        "Say one digit, from 0 to 9."
    )
    rating_lead_in: str = "The last step deserves a "
    max_steps: int = whole(200, minimum=1)
    max_step_tokens: int = whole(512, minimum=1)

    @property
    def _sampling(self) -> StepSampling:
        """How the tokens of a step are drawn, by either model."""
        return StepSampling(self.max_step_tokens, self.temperature, self.top_p)

    def check(self, setup: Setup) -> None:
        """Reject long steps, and to run without a draft model or without the judge that was asked for."""
        super().check(setup)
        checks.fits("strategy.max_step_tokens", self.max_step_tokens, setup.room_tokens)
        if DRAFT not in setup.roles:
            raise ValueError(
                "speculative_reasoning drafts steps with a second model; give one for the role 'draft'"
            )
        if self.judge == "prm" and setup.verifier is None:
            raise ValueError(
                "strategy.judge=prm needs a verifier; give verifier=..., or strategy.judge=model"
            )

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return what the policy spends if it rewrites every step, its ratings included."""
        return MaxSpend(1, room_tokens + self.max_steps)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Draft, judge, keep or rewrite; until the trace has ended."""
        draft = llm.as_role(DRAFT)
        trace, drafted = llm.start(problem), draft.start(problem)
        for _ in range(self.max_steps):
            if is_finished(llm, trace):
                break
            proposal = (
                await grow_step(draft, drafted, self._sampling) if draft.room_tokens(drafted) > 0 else drafted
            )
            proposed = carried_over(trace, proposal, since=drafted)
            if proposed.text != trace.text and await self._is_kept(problem, llm, verifier, proposed):
                trace, drafted = proposed, proposal
            else:
                rewritten = await grow_step(llm, trace, self._sampling)
                trace, drafted = rewritten, carried_over(drafted, rewritten, since=trace)
        if not is_finished(llm, trace):
            trace = await grow_to_end(llm, trace, self._sampling)
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))

    async def _is_kept(
        self, problem: Problem, llm: LanguageModel, verifier: Verifier | None, proposed: Trace
    ) -> bool:
        if self.judge == "model":
            return await self._rating(problem, llm, proposed) >= self.threshold
        assert verifier is not None
        [scores] = await verifier.score(problem, [proposed])
        return scores[-1] >= self.threshold

    async def _rating(self, problem: Problem, llm: LanguageModel, proposed: Trace) -> float:
        """Return the policy's greedy rating of the last step; 0 where it says no digit or has no room to."""
        dialogue = (proposed.text, self.rating_prompt)
        asked = llm.start(problem, thinking=False, turns=dialogue) + self.rating_lead_in
        if llm.room_tokens(asked) < 1:
            return 0.0
        [rated] = await llm.extend(asked, max_tokens=1, temperature=0.0)
        digit = re.search(r"\d", rated.text[len(asked.text) :])
        return int(digit[0]) / HIGHEST_RATING if digit else 0.0
