"""Outcome reward models (Cobbe et al., arXiv 2110.14168): one score for a whole trace, at its last token.

Knows no engine and no strategy.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel
from tts_eval.records import Problem, TextCodec, Trace
from tts_eval.verifying.heads import sigmoid, softmax


@dataclass(frozen=True)
class OutcomeReward:
    """The chat prompt, the trace, `ending`; the score is the sigmoid of the only label, or else P(`label`).

    A reward without bounds is squashed by the same sigmoid, which keeps its order.
    """

    ending: str = ""
    label: int = 1
    role: str = "verifier"

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Refuse an ending that the tokenizer does not know."""
        if self.ending and not codec.encode(self.ending):
            raise ValueError(f"verifier.ending={self.ending!r} is nothing to the tokenizer of {model.name}")

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        """Return the probability that `trace` ends in the right answer."""
        orm = llm.as_role(self.role)
        prompt = orm.start(problem)
        ids = prompt.prompt_ids + prompt.codec.encode(trace.text + self.ending)
        [logits] = await orm.read(ids, [len(ids) - 1])
        return sigmoid(logits[0]) if len(logits) == 1 else softmax(logits, self.label)
