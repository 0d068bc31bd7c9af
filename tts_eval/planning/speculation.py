"""Speculative decoding as a planner sees it: tokens per verification, and what drafting costs."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks


@dataclass(frozen=True, slots=True)
class Speculation:
    """`num_draft_tokens` are verified at once, of which `acceptance_length` come out, the target's included.

    `draft_cost` is a draft step's time as a share of the target's.
    """

    num_draft_tokens: int = 0
    acceptance_length: float = 1.0
    draft_cost: float = 0.0

    def __post_init__(self) -> None:
        checks.whole_number("plan.speculation.num_draft_tokens", self.num_draft_tokens, minimum=0)
        checks.number("plan.speculation.draft_cost", self.draft_cost, minimum=0)
        name, most = "plan.speculation.acceptance_length", self.num_draft_tokens + 1
        checks.number(name, self.acceptance_length, minimum=1, maximum=most)


def acceptance_length(rate: float, num_draft_tokens: int) -> float:
    """Return the expected tokens of a verification, each draft accepted with probability `rate`.

    Leviathan et al. (arXiv 2211.17192), equation 1.
    """
    if rate == 1.0:
        return num_draft_tokens + 1.0
    return (1 - rate ** (num_draft_tokens + 1)) / (1 - rate)


def speed_up(rate: float, num_draft_tokens: int, *, draft_cost: float, verify_cost: float = 1.0) -> float:
    """Return how much faster tokens come than one by one; costs are in steps of the target.

    Leviathan et al. (arXiv 2211.17192), theorem 3.8, with `verify_cost` 1 only while memory binds.
    """
    return acceptance_length(rate, num_draft_tokens) / (num_draft_tokens * draft_cost + verify_cost)
