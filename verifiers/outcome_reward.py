"""Outcome reward models (Cobbe et al., arXiv 2110.14168): one score for a whole trace, at its last token."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.verifier import ANSWER
from tts_eval.records import Problem, TextCodec, Trace
from tts_eval.toolkit.fitting import fitted
from tts_eval.toolkit.reads import part_read
from tts_eval.toolkit.reward_heads import sigmoid, softmax


@dataclass(frozen=True)
class OutcomeReward(Verifier):
    """The question, the trace, `ending`; the score is the sigmoid of the only label, or else P(`label`).

    `ending` null ends the model's turn as its chat template does, end-of-turn token and all: reward models
    are trained on, and read at, the last token of the whole chat. A text follows the trace as it is ("":
    nothing). `reads` is answer (what follows the thinking) or all; what is too long is cut at its front.
    A reward without bounds is squashed by the same sigmoid, which keeps its order.
    """

    ending: str | None = None
    label: int = 1
    reads: str = ANSWER
    role: str = "verifier"

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Reject an ending that the tokenizer does not know."""
        if self.ending and not codec.encode(self.ending):
            raise ValueError(f"verifier.ending={self.ending!r} is nothing to the tokenizer of {model.name}")

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        """Return the probability that `trace` ends in the right answer."""
        orm = llm.as_role(self.role)

        def laid_out(text: str) -> Trace:
            if self.ending is None:
                return orm.start(problem, turns=(text,), is_instructed=False)
            return orm.start(problem, is_instructed=False) + (text + self.ending)

        whole = fitted(part_read(trace, self.reads).text, laid_out, orm)
        ids = whole.prompt_ids + whole.token_ids
        [logits] = await orm.read(ids, [len(ids) - 1])
        return sigmoid(logits[0]) if len(logits) == 1 else softmax(logits, self.label)
