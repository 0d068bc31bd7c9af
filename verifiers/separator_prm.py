"""Process reward models with a two-label head, read at a separator token that ends each step.

Qwen2.5-Math-PRM (Zhang et al., arXiv 2501.07301; layout: the model card) and this repository's pocket PRM.
Knows no engine and no strategy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel
from tts_eval.records import Problem, TextCodec
from tts_eval.verifying.heads import softmax

RIGHT = 1  # of the head's labels: wrong, right


@dataclass(frozen=True)
class SeparatorPrm:
    """The chat prompt, then each step and `separator`; a step's score is P(right) at its separator."""

    separator: str = "<extra_0>"
    role: str = "verifier"

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Refuse a tokenizer that does not write the separator as one token."""
        ids = codec.encode(self.separator)
        if len(ids) != 1:
            raise ValueError(
                f"verifier.separator={self.separator!r} must be one token of {model.name}; it is {len(ids)}"
            )

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> list[float]:
        """Return the probabilities that `steps[num_known:]` are right."""
        prm = llm.as_role(self.role)
        prompt = prm.start(problem)
        ids, ends = list(prompt.prompt_ids), []
        for step in steps:
            ids += prompt.codec.encode(step.strip("\n") + self.separator)
            ends.append(len(ids) - 1)
        return [softmax(logits, RIGHT) for logits in await prm.read(ids, ends[num_known:])]
