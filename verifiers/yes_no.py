"""Generative verifiers (Zhang et al., arXiv 2408.15240, section 3.1): P(Yes) to "is this answer correct?".

The engine reads the model as a classifier whose labels are the rows of its lm_head for yes and no, so that
nothing is generated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import template
from tts_eval.protocols.verifier import ANSWER
from tts_eval.records import Problem, Trace
from tts_eval.toolkit.fitting import LEFT_OUT, filled, fitted
from tts_eval.toolkit.reads import part_read
from tts_eval.toolkit.reward_heads import softmax

YES = 0  # of the labels: yes, no


@dataclass(frozen=True)
class YesNo(Verifier):
    """The chat prompt asks `question` about the problem and the trace; {problem} and {trace} stand for them.

    The score is P(yes) against P(no) as the first word of the model's turn. `reads` is answer (what follows
    the thinking) or all; what is too long is cut at its front, and the prompt says so.
    """

    question: str = template(
        "{problem}\n\nA proposed solution:\n{trace}\n\nIs the answer correct (Yes/No)?",
        holding=("{problem}", "{trace}"),
    )
    reads: str = ANSWER
    role: str = "verifier"

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        """Return the probability of yes."""
        judge = llm.as_role(self.role)

        def asking(text: str) -> Trace:
            asked = filled(self.question, problem=problem.question, trace=text)
            return judge.start(replace(problem, question=asked), thinking=False, is_instructed=False)

        text = part_read(trace, self.reads).text
        ids = fitted(text, asking, judge, note=LEFT_OUT).prompt_ids
        [logits] = await judge.read(ids, [len(ids) - 1])
        return softmax(logits, YES)
