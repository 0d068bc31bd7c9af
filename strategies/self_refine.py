"""Self-Refine (Madaan et al., arXiv 2303.17651, algorithm 1): answer, criticise, revise, until all is right.

The model is its own critic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import whole
from tts_eval.records import Attempt, Candidate, Problem, Trace
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.sampled import Sampled


@dataclass(frozen=True, kw_only=True)
class SelfRefine(Sampled):
    """Up to `max_rounds` times, a turn that criticises and a turn that revises, each after all that was said.

    It ends when a critique's last sentence begins with `stop_phrase`, or its first one is nothing else ("I
    cannot say NO MISTAKES" ends nothing), or when the dialogue has filled the model's length. Only what is
    said after the thinking part is quoted. A revision without an answer does not displace the one before;
    `max_tokens` bounds each turn.
    """

    max_rounds: int = whole(2, minimum=0)
    critique_prompt: str = (
        "Check your solution step by step. If nothing in it is wrong, end with NO MISTAKES on a line by "
        "itself. Otherwise say what is wrong and how to mend it."
    )
    revision_prompt: str = "Solve the problem again with this in mind, and give the final answer as before."
    stop_phrase: str = "NO MISTAKES"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.stop_phrase:
            raise ValueError("strategy.stop_phrase must not be empty: every critique would contain it")

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return the first answer, and two turns a round."""
        turns = 1 + 2 * self.max_rounds
        return MaxSpend(1 + self.max_rounds, turns * (self.max_tokens or room_tokens))

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer, then criticise and revise."""
        dialogue: list[str] = []
        candidates: list[Candidate] = []
        standing: str | None = None
        for num_rounds in range(self.max_rounds + 1):
            trace = await self._turn(problem, llm, dialogue)
            if trace is None:
                break
            answer = llm.answer(trace)
            standing = answer or standing
            candidates.append(Candidate.of(trace, answer))
            llm.interim(standing, tuple(candidates))
            if num_rounds == self.max_rounds:
                break
            dialogue += [trace.said, self.critique_prompt]
            remarks = await self._turn(problem, llm, dialogue)
            critique = None if remarks is None else remarks.said
            if critique is None or self._is_content(critique):
                break
            dialogue += [critique, self.revision_prompt]
        return Attempt(standing, tuple(candidates))

    def _is_content(self, critique: str) -> bool:
        sentences = [part.strip(" \t*_#\"'`").casefold() for part in re.split(r"[.!:\n]", critique)]
        spoken = [sentence for sentence in sentences if sentence]
        phrase = self.stop_phrase.strip(" .!").casefold()
        return bool(spoken) and (spoken[0] == phrase or spoken[-1].startswith(phrase))

    async def _turn(self, problem: Problem, llm: LanguageModel, dialogue: list[str]) -> Trace | None:
        prompt = llm.start(problem, turns=dialogue)
        if dialogue and llm.room_tokens(prompt) < (self.max_tokens or 1):
            return None
        return await self.sample(llm, prompt)
