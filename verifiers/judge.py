"""A language model as judge (Zheng et al., arXiv 2306.05685, section 3.1): it grades a trace by a rubric.

Knows no engine and no strategy. The judge may be the policy's own model: then they share an engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tts_eval import checks
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel
from tts_eval.records import Problem, TextCodec, Trace

RUBRIC = """Grade a solution of a problem. Check each step of its reasoning and its final answer.
10: every step and the answer are right. 7: the answer is right, a step is unclear.
3: a step is wrong, the answer may still be right. 0: the answer is wrong or missing.

Problem:
{problem}

Solution:
{trace}

End with one line: Grade: <whole number from 0 to 10>"""


@dataclass(frozen=True)
class Judge:
    """Asks `rubric` about the problem and the trace; the score is the last "Grade: n" divided by `highest`.

    A verdict without a grade within bounds scores 0. `max_tokens` null is all the room there is.
    """

    rubric: str = RUBRIC
    highest: int = 10
    max_tokens: int | None = None
    temperature: float | None = 0.0
    role: str = "verifier"

    def __post_init__(self) -> None:
        checks.whole_number("verifier.highest", self.highest, minimum=1)
        checks.optional_whole_number("verifier.max_tokens", self.max_tokens, minimum=1)
        for name in ("{problem}", "{trace}"):
            if name not in self.rubric:
                raise ValueError(f"verifier.rubric must hold {name}; it is {self.rubric!r}")

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Accept any tokenizer: the verdict is read as text."""

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        """Return the grade as a share of the highest one."""
        judge = llm.as_role(self.role)
        asked = self.rubric.replace("{problem}", problem.question).replace("{trace}", trace.text)
        prompt = judge.start(replace(problem, question=asked))
        [verdict] = await judge.extend(prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        grades = re.findall(r"Grade:\s*(\d+)", verdict.text)
        grade = int(grades[-1]) if grades else 0
        return grade / self.highest if grade <= self.highest else 0.0
