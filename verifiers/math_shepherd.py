"""Math-Shepherd (Wang et al., arXiv 2312.08935): a language model that says + or - after every step.

Layout as on the model card of peiyi9979/math-shepherd-mistral-7b-prm. The engine
reads the model as a classifier whose labels are the rows of its lm_head for + and -.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.verifier import ANSWER
from tts_eval.records import Problem, TextCodec
from tts_eval.toolkit.reward_heads import check_single_tokens, read_steps, softmax

RIGHT = 0  # of the labels: +, -


@dataclass(frozen=True)
class MathShepherd(Verifier):
    """`bos`, the question, then "Step i: ... ки" a line; a step's score is P(+) against P(-) at its ки.

    A step is one line: newlines within it become spaces, as does a ки of the text's own. `reads` is answer
    (what follows the thinking) or all.
    """

    bos: str = "<s>"
    step_tag: str = "ки"
    reads: str = ANSWER
    role: str = "verifier"

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Reject a tokenizer that does not write the marks as single tokens."""
        check_single_tokens(model, codec, bos=self.bos, step_tag=self.step_tag)

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> list[float]:
        """Return the probabilities that `steps[num_known:]` are right."""
        prm = llm.as_role(self.role)
        chat = prm.start(problem, is_instructed=False)
        codec = chat.codec
        bos, [tag] = codec.encode(self.bos), codec.encode(self.step_tag)
        question = f"{problem.question.replace(self.step_tag, ' ')} "

        def lay_out(steps: Sequence[str]) -> tuple[list[int], list[int]]:
            lines = [
                f"{self._labelled(number, step)} {self.step_tag}" for number, step in enumerate(steps, 1)
            ]
            ids = [*bos, *codec.encode(question + "\n".join(lines))]  # as one text: pieces would differ
            ends = [position for position, token_id in enumerate(ids) if token_id == tag]
            if len(ends) != len(steps):
                raise ValueError(f"{len(steps)} steps were written with {len(ends)} tokens {self.step_tag!r}")
            return ids, ends

        prompt = replace(chat, prompt_ids=bos + codec.encode(question))
        rows = await read_steps(prm, prompt, steps, lay_out, num_known=num_known)
        return [softmax(logits, RIGHT) for logits in rows]

    def _labelled(self, number: int, step: str) -> str:
        line = " ".join(step.replace(self.step_tag, " ").split("\n")).strip()
        return line if line.startswith(f"Step {number}:") else f"Step {number}: {line}"
