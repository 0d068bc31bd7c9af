"""Choosing one answer among many, as several strategies do.

Knows no model; answers count as the same where the handle's `group` says they are. Unparsed answers (None)
never win: without a parsed one the choice is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tts_eval.protocols import LanguageModel


async def plurality(llm: LanguageModel, answers: Sequence[str | None]) -> str | None:
    """Return the most frequent answer; of equally frequent ones, the one given first."""
    groups = await llm.group(answers)
    return answers[groups[0][0]] if groups else None


async def weighted_plurality(
    llm: LanguageModel, answers: Sequence[str | None], weights: Sequence[float]
) -> str | None:
    """Return the answer whose equivalents weigh most together; of equal ones, the one given first.

    Li et al., arXiv 2206.02336, section 3.2; as a best-of-n: Snell et al., arXiv 2408.03314, section 5.1.
    """
    groups = await llm.group(answers)
    heaviest = max(groups, key=lambda group: (math.fsum(weights[i] for i in group), -group[0]), default=None)
    return None if heaviest is None else answers[heaviest[0]]


def best_scored(answers: Sequence[str | None], scores: Sequence[float]) -> str | None:
    """Return the answer with the highest score of its own; of equal ones, the one given first."""
    parsed = [i for i, answer in enumerate(answers) if answer is not None]
    best = max(parsed, key=lambda i: scores[i], default=None)
    return None if best is None else answers[best]


async def agreement(llm: LanguageModel, answers: Sequence[str | None]) -> float:
    """Return the share of all answers, unparsed ones included, that the most frequent one has."""
    groups = await llm.group(answers)
    return len(groups[0]) / len(answers) if groups else 0.0


def beta_confidence(num_first: int, num_second: int) -> float:
    """Return how likely the first answer is the more frequent one, given how often the top two were drawn.

    Adaptive-Consistency's Beta criterion (Aggarwal et al., arXiv 2305.11860, section 3): the chance that a
    Beta(a + 1, b + 1) variable is above 1/2, which for counts is a sum of binomial coefficients.
    """
    draws = num_first + num_second + 1
    return math.fsum(math.comb(draws, i) / 2**draws for i in range(num_first + 1))
