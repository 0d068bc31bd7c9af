"""Direct prompting: the answer at once, without reasoning; what chain of thought is compared with.

`way: lead_in` works with any model; `template` only where the chat template can switch thinking off.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.llm.markings import Marking
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.toolkit.sampled import Sampled

WAYS = ("template", "lead_in")


@dataclass(frozen=True, kw_only=True)
class Direct(Sampled):
    """One trace that does not think, greedy (temperature 0) or sampled (null: the model's sampling).

    `way`: "template" asks through the chat template with thinking switched off; "lead_in" opens the answer
    for the model, as at the end of a thinking budget, so that not a word can come before it. Without thinking
    a model still writes out its solution: `max_tokens` null leaves it the model's length.
    """

    way: str = "lead_in"
    temperature: float | None = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.one_of("strategy.way", self.way, WAYS)

    def check(self, setup: Setup) -> None:
        """Reject a bound that the model's length cannot hold, and a way that the model does not know."""
        model = setup.model
        opening = self._most_opening_tokens(model)
        asked = f"strategy.max_tokens={self.max_tokens or 'null'} and what opens the answer, up to {opening},"
        checks.fits(asked, opening + (self.max_tokens or 1), setup.room_tokens)
        if self.way == "template" and model.thinking_end is not None and not model.no_thinking_kwargs:
            if given := dict(model.chat_template_kwargs):
                raise ValueError(
                    f"beyond model.chat_template_kwargs={given} nothing switches the thinking of "
                    f"{model.name!r} off; where that has done so, use strategy=cot, otherwise "
                    "strategy.way=lead_in"
                )
            raise ValueError(
                f"the chat template of {model.name!r} cannot switch its thinking off; "
                "use strategy.way=lead_in"
            )
        if self.way == "lead_in" and not model.answer_lead_in:
            raise ValueError(f"{model.name!r} has no answer_lead_in; use strategy.way=template")

    def _most_opening_tokens(self, model: Model) -> int:
        """Return the most tokens, one a byte, that stand between the longest prompt and the answer.

        The prompts were measured as those of a model that may think.
        """
        opening = model.markers.answer_opening if self.way == "lead_in" else ""
        if model.thinking_start is not None and model.thinking_end is not None:
            opening = Marking.of(model.thinking_start, model.thinking_end).skipped("") + opening
        return len(opening.encode())

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer at once."""
        prompt = llm.start(problem, thinking=False)
        if self.way == "lead_in":
            prompt += llm.markers.answer_opening
        trace = await self.sample(llm, prompt)
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))
