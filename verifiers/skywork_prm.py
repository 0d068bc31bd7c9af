"""Skywork-o1-Open-PRM: a value head on the newline that ends each step.

Layout: github.com/SkyworkAI/skywork-o1-prm-inference, `prepare_input`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.verifier import ANSWER
from tts_eval.records import Problem, TextCodec
from tts_eval.toolkit.reward_heads import check_single_tokens, joined, read_steps, sigmoid


@dataclass(frozen=True)
class SkyworkPrm(Verifier):
    """`bos`, the question and a newline, then each step and `step_tag`, every piece tokenised by itself.

    A step is one line: newlines within it become spaces, else each would count as a step of its own.
    `reads` is answer (what follows the thinking) or all.
    """

    bos: str
    step_tag: str = "\n"
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
        tag = codec.encode(self.step_tag)
        prompt = replace(chat, prompt_ids=codec.encode(f"{self.bos}{problem.question}\n"))

        def lay_out(steps: Sequence[str]) -> tuple[list[int], list[int]]:
            lines = [" ".join(step.strip("\n").split("\n")) for step in steps]
            return joined(prompt.prompt_ids, [codec.encode(line) + tag for line in lines])

        rows = await read_steps(prm, prompt, steps, lay_out, num_known=num_known)
        return [sigmoid(logit) for (logit,) in rows]
