"""Direct prompting: the answer at once, without reasoning; what chain of thought is compared with.

`way: lead_in` works with any model; `template` only where the chat template can switch thinking off.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.llm.openings import LEAD_IN, WAYS, check_opening
from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.protocols.bounds import one_of
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.toolkit.sampled import Sampled


@dataclass(frozen=True, kw_only=True)
class Direct(Sampled):
    """One trace that does not think, greedy (temperature 0) or sampled (null: the model's sampling).

    `way`: "template" asks through the chat template with thinking switched off; "lead_in" opens the answer
    for the model, as at the end of a thinking budget, so that not a word can come before it. Without thinking
    a model still writes out its solution: `max_tokens` null leaves it the model's length.
    """

    way: str = one_of(LEAD_IN, WAYS)
    temperature: float | None = 0.0

    def check(self, setup: Setup) -> None:
        """Reject a bound that the model's length cannot hold, and a way that the model does not know."""
        super().check(setup)
        check_opening(self.way, setup.model, max_tokens=self.max_tokens, room_tokens=setup.room_tokens)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer at once."""
        prompt = llm.start(problem, thinking=False)
        if self.way == LEAD_IN:
            prompt += llm.markers.answer_opening
        trace = await self.sample(llm, prompt)
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))
