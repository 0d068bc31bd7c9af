"""Process reward models with a two-label head, read at a separator token that ends each step.

Qwen2.5-Math-PRM (Zhang et al., arXiv 2501.07301; layout: the model card) and this repository's pocket PRM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.verifier import ANSWER
from tts_eval.records import Problem, TextCodec
from tts_eval.toolkit.reward_heads import check_single_tokens, joined, read_steps, softmax

RIGHT = 1  # of the head's labels: wrong, right


@dataclass(frozen=True)
class SeparatorPrm(Verifier):
    """The chat prompt, then each step and `separator`; a step's score is P(right) at its separator.

    `reads` is answer (what follows the thinking) or all.
    """

    separator: str = "<extra_0>"
    reads: str = ANSWER
    role: str = "verifier"

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Reject a tokenizer that does not write the separator as one token."""
        check_single_tokens(model, codec, separator=self.separator)

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> list[float]:
        """Return the probabilities that `steps[num_known:]` are right."""
        prm = llm.as_role(self.role)
        prompt = prm.start(problem, is_instructed=False)

        def lay_out(steps: Sequence[str]) -> tuple[list[int], list[int]]:
            pieces = [prompt.codec.encode(step.strip("\n") + self.separator) for step in steps]
            return joined(prompt.prompt_ids, pieces)

        rows = await read_steps(prm, prompt, steps, lay_out, num_known=num_known)
        return [softmax(logits, RIGHT) for logits in rows]
