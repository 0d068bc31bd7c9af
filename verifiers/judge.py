"""A language model as judge (Zheng et al., arXiv 2306.05685, section 3.1): it grades a trace by a rubric.

The judge may be the policy's own model: then they share an engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import template, whole
from tts_eval.protocols.verifier import ANSWER
from tts_eval.records import Problem, Trace
from tts_eval.toolkit.fitting import LEFT_OUT, filled, fitted
from tts_eval.toolkit.reads import part_read
from tts_eval.toolkit.verdicts import grade_of

SHARE_FOR_VERDICT = 0.25  # of the room beside the trace, where max_tokens does not say
RUBRIC = """Grade a solution of a problem. Check each step of its reasoning and its final answer.
10: every step and the answer are right. 7: the answer is right, a step is unclear.
3: a step is wrong, the answer may still be right. 0: the answer is wrong or missing.

Problem:
{problem}

Solution:
{trace}

End with one line: Grade: <whole number from 0 to 10>"""


@dataclass(frozen=True)
class Judge(Verifier):
    """Asks `rubric` about the problem and the trace; the score is the grade divided by `highest`.

    The grade is the one that the judge comes to after its own thinking, see `verdicts.grade_of`; without one
    within bounds there is no verdict. `reads` is answer (what follows the thinking) or all. A trace that
    leaves no room for the verdict, `max_tokens` or else a quarter of the room, is cut at its front, and the
    prompt says so.
    """

    rubric: str = template(RUBRIC, holding=("{problem}", "{trace}"))
    highest: int = whole(10, minimum=1)
    max_tokens: int | None = whole(None, minimum=1)
    temperature: float | None = 0.0
    reads: str = ANSWER
    role: str = "verifier"

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float | None:
        """Return the grade as a share of the highest one; None without one."""
        judge = llm.as_role(self.role)

        def asking(text: str) -> Trace:
            asked = filled(self.rubric, problem=problem.question, trace=text)
            return judge.start(replace(problem, question=asked), is_instructed=False)

        text = part_read(trace, self.reads).text
        prompt = fitted(text, asking, judge, reserve=self.max_tokens or SHARE_FOR_VERDICT, note=LEFT_OUT)
        room_tokens = judge.room_tokens(prompt)
        if room_tokens < 1:
            return None
        max_tokens = None if self.max_tokens is None else min(self.max_tokens, room_tokens)
        [verdict] = await judge.extend(prompt, max_tokens=max_tokens, temperature=self.temperature)
        return grade_of(verdict.said, highest=self.highest)
