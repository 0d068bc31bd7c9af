"""Choosing one answer among many, as several strategies do.

Unparsed answers (None) never win: without a parsed one the choice is None.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence

from tts_eval.concurrency import together
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Attempt, Candidate, Problem, Trace

AGGREGATIONS = ("min", "product", "last", "mean", "max")


def aggregate(scores: Sequence[float], how: str) -> float:
    """Return one score in [0, 1] of `scores`, one a step, each in [0, 1]; a trace without steps scores 0.

    min, product: Lightman et al., arXiv 2305.20050, appendix F. last: Snell et al., arXiv 2408.03314,
    section 5.1. Raises ValueError for another `how`.
    """
    if how not in AGGREGATIONS:
        raise ValueError(f"aggregation={how!r} is not known; allowed: {', '.join(AGGREGATIONS)}")
    if not scores:
        return 0.0
    match how:
        case "min":
            return min(scores)
        case "product":
            return math.prod(scores)
        case "last":
            return scores[-1]
        case "mean":
            return math.fsum(scores) / len(scores)
        case _:
            return max(scores)


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


async def heaviest_share(
    llm: LanguageModel, answers: Sequence[str | None], weights: Sequence[float]
) -> float:
    """Return the share of all parsed answers' weight that the heaviest answer has; 0 where nothing weighs."""
    groups = await llm.group(answers)
    heavy = [math.fsum(weights[i] for i in group) for group in groups]
    return max(heavy) / math.fsum(heavy) if any(heavy) else 0.0


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


async def draw_and_choose(
    llm: LanguageModel,
    n: int,
    draw: Callable[[], Awaitable[Candidate]],
    choose: Callable[[Sequence[Candidate]], Awaitable[str | None]],
) -> Attempt:
    """Draw `n` candidates at once and choose among them; the choice among those that are in stands meanwhile.

    `choose` is given candidates in the order of their drawing, whatever the order they come in.
    """
    drawn: dict[int, Candidate] = {}
    num_chosen_from = 0

    async def one(number: int) -> None:
        nonlocal num_chosen_from
        drawn[number] = await draw()
        there = [drawn[i] for i in sorted(drawn)]
        choice = await choose(there)
        if len(there) > num_chosen_from:  # a choice among more may have been made meanwhile
            num_chosen_from = len(there)
            llm.interim(choice, there)

    await together(one(number) for number in range(n))
    candidates = tuple(drawn[number] for number in range(n))
    return Attempt(await choose(candidates), candidates)


async def scored(
    llm: LanguageModel, verifier: Verifier, problem: Problem, trace: Trace, *, aggregation: str
) -> Candidate:
    """Return `trace` as a candidate with the verifier's scores, aggregated over its steps."""
    [steps] = await verifier.score(problem, [trace])
    score = aggregate(steps, aggregation)
    return Candidate.of(trace, llm.answer(trace), score=score, step_scores=steps)


def check_weights(verifier: Verifier | None, *, needed_by: str) -> None:
    """Reject recorded scores of which only the order means something."""
    if verifier is not None and not verifier.is_scaled:
        raise ValueError(
            f"{needed_by} needs scores in [0, 1]; of the recorded ones only the order means something, as "
            "strategy=best_of_n uses it (unweighted)"
        )


def answered_scores(candidates: Sequence[Candidate]) -> list[float]:
    """Return the scores of those that have an answer; of all where none has."""
    return scores_of([c for c in candidates if c.answer is not None] or candidates)


def scores_of(candidates: Sequence[Candidate]) -> list[float]:
    """Return what each was scored with."""
    scores = [candidate.score for candidate in candidates]
    assert all(score is not None for score in scores), "an unscored candidate among scored ones"
    return [score for score in scores if score is not None]
