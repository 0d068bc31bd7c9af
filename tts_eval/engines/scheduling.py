"""In which order an engine serves the samples of many problems, and how long one may keep its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval import checks
from tts_eval.records import Problem

LEVEL, PROMPT_LENGTH, ATTAINED = "level", "prompt_length", "attained"


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Who is served first; None leaves it to the order of arrival.

    `priority` level serves problems of a lower level first (their difficulty as the benchmark states it),
    prompt_length those with a shorter prompt, attained the samples with the fewest tokens so far (least
    attained service; FastServe, arXiv 2305.05920, section 4). After `chunk_tokens` tokens a sample queues
    again.
    """

    chunk_tokens: int | None = None
    priority: str | None = None

    def __post_init__(self) -> None:
        checks.optional_whole_number("scheduling.chunk_tokens", self.chunk_tokens, minimum=1)
        if self.priority is not None:
            checks.one_of("scheduling.priority", self.priority, (LEVEL, PROMPT_LENGTH, ATTAINED))
        if self.priority == ATTAINED and self.chunk_tokens is None:
            raise ValueError(
                "scheduling.priority=attained orders the pieces of samples; give scheduling.chunk_tokens too"
            )

    def check(self, problems: Sequence[Problem]) -> None:
        """Reject with a ValueError problems that the priority cannot order."""
        for problem in problems:
            if self.priority == LEVEL and problem.level is None:
                raise ValueError(
                    f"scheduling.priority=level: problem {problem.id} has no level; "
                    "allowed: null, prompt_length, attained"
                )

    def priority_of(self, problem: Problem, *, num_prompt_tokens: int) -> int:
        """Return the priority of a problem's samples; a lower one is served first."""
        if self.priority == LEVEL:
            assert problem.level is not None
            return problem.level
        return num_prompt_tokens if self.priority == PROMPT_LENGTH else 0
