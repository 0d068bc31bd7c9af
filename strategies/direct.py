"""Direct prompting: the answer at once, without reasoning; what chain of thought is compared with.

`way: lead_in` works with any model; `template` only where the chat template can switch thinking off.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.llm.markings import Marking
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.spend import MaxSpend

WAYS = ("template", "lead_in")


@dataclass(frozen=True)
class Direct:
    """One trace that does not think, greedy (temperature 0) or sampled (null: the model's sampling).

    `way`: "template" asks through the chat template with thinking switched off; "lead_in" opens the answer
    for the model, as at the end of a thinking budget, so that not a word can come before it. Without thinking
    a model still writes out its solution: `max_tokens` null leaves it the model's length.
    """

    way: str = "lead_in"
    temperature: float | None = 0.0
    top_p: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        checks.one_of("strategy.way", self.way, WAYS)
        checks.sampling(self.temperature, self.top_p)
        checks.optional_whole_number("strategy.max_tokens", self.max_tokens, minimum=1)

    def check_model(self, model: Model, *, room_tokens: int) -> None:
        """Reject a bound that the model's length cannot hold, and a way that the model does not know."""
        opening = self._most_opening_tokens(model)
        asked = f"strategy.max_tokens={self.max_tokens or 'null'} and what opens the answer, up to {opening},"
        checks.fits(asked, opening + (self.max_tokens or 1), room_tokens)
        if self.way == "template" and model.thinking_end is not None and not model.no_thinking_kwargs:
            raise ValueError(
                f"the chat template of {model.name!r} cannot switch its thinking off; "
                f"use strategy.way=lead_in"
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

    def max_spend(self, *, room_tokens: int) -> MaxSpend:
        """Return one answer."""
        return MaxSpend(1, self.max_tokens or room_tokens)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer at once."""
        if self.way == "template":
            trace = llm.start(problem, thinking=False)
        else:
            trace = llm.start(problem, thinking=False) + llm.markers.answer_opening
        [trace] = await llm.extend(
            trace, max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p
        )
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))
