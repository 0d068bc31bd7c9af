"""Generative aggregation: the model reads n solutions of its own and writes one more, whose answer counts.

As one round of recursive self-aggregation (Venkatraman et al., arXiv 2509.26626, section 3). Universal
Self-Consistency (Chen et al., arXiv 2311.17311) has the model pick one of the solutions instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import template
from tts_eval.records import Attempt, Candidate, Problem, Trace
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.sampled import Repeated
from tts_eval.toolkit.voting import draw_and_choose, plurality


@dataclass(frozen=True, kw_only=True)
class SelfAggregation(Repeated):
    """`n` solutions are drawn at once and put into one prompt, which the model answers.

    `prompt` is formatted with {question} and {solutions}: what each candidate says after its thinking part,
    numbered. Where the last answer does not parse, or the solutions fill the model's length, the most
    frequent of the candidates' answers is the answer.
    """

    n: int = 8
    prompt: str = template(
        "{question}\n\nHere are several solutions; some may be wrong.\n\n{solutions}\n\n"
        "Compare them and solve the problem.",
        holding=("{question}", "{solutions}"),
    )

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return the candidates and the last answer."""
        return self.trace_spend(room_tokens) * (self.n + 1)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Draw the candidates, then let the model read them."""

        async def extended(prompt: Trace) -> Candidate:
            trace = await self.sample(llm, prompt)
            return Candidate.of(trace, llm.answer(trace))

        async def count(ballots: Sequence[Candidate]) -> str | None:
            return await plurality(llm, [cast.answer for cast in ballots])

        voted = await draw_and_choose(llm, self.n, lambda: extended(llm.start(problem)), count)
        solutions = "\n\n".join(
            f"Solution {number}: {candidate.said}"
            for number, candidate in enumerate(voted.candidates, start=1)
        )
        question = self.prompt.replace("{question}", problem.question).replace("{solutions}", solutions)
        reading = llm.start(replace(problem, question=question))
        if llm.room_tokens(reading) < (self.max_tokens or 1):
            return voted
        last = await extended(reading)
        return Attempt(last.answer or voted.answer, (*voted.candidates, last))
