"""RLHFlow's process reward models (Xiong et al., arXiv 2405.07863; model cards of Llama3.1-8B-PRM-*-Data).

A chat in which the user gives one step after another and the model answers each with + or -. The
engine reads the model as a classifier: its labels are the rows of lm_head for + and -.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.verifier import ANSWER
from tts_eval.records import Problem, TextCodec
from tts_eval.toolkit.reward_heads import check_single_tokens, joined, read_steps, softmax

RIGHT = 0  # of the labels: +, -


@dataclass(frozen=True)
class RlhflowPrm(Verifier):
    """`opening`, then a turn a step; its score is P(+) against P(-) at the token that predicts the answer.

    Every earlier step has been answered with +, as in training, whatever its score. `opening` holds the
    system block with its date pinned: the chat template would write today's. `reads` is answer (what follows
    the thinking) or all.
    """

    opening: str
    user_header: str = "<|start_header_id|>user<|end_header_id|>\n\n"
    assistant_header: str = "<|start_header_id|>assistant<|end_header_id|>\n\n"
    end_of_turn: str = "<|eot_id|>"
    right: str = "+"
    wrong: str = "-"
    reads: str = ANSWER
    role: str = "verifier"

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Reject a tokenizer that does not write the marks as single tokens."""
        check_single_tokens(model, codec, right=self.right, wrong=self.wrong, end_of_turn=self.end_of_turn)

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> list[float]:
        """Return the probabilities that `steps[num_known:]` are right."""
        prm = llm.as_role(self.role)
        chat = prm.start(problem, is_instructed=False)
        codec = chat.codec
        opening, reply = codec.encode(self.opening), codec.encode(f"{self.right}{self.end_of_turn}")

        def turn(said: str) -> tuple[int, ...]:
            return codec.encode(f"{self.user_header}{said}{self.end_of_turn}{self.assistant_header}")

        def lay_out(steps: Sequence[str]) -> tuple[list[int], list[int]]:
            first, *later = [step.strip() for step in steps]
            turns = [turn(f"{problem.question} {first}"), *(reply + turn(said) for said in later)]
            return joined(opening, turns)

        prompt = replace(chat, prompt_ids=opening + codec.encode(problem.question))
        rows = await read_steps(prm, prompt, steps, lay_out, num_known=num_known)
        return [softmax(logits, RIGHT) for logits in rows]
