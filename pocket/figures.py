"""From scored samples to figures with their 95% intervals: votes, best-of-n, step judgement, kinds of error.

An interval is a bootstrap over problems.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket import tokenizer as tok
from pocket.gap import gap_table
from pocket.labels import list_after, right_steps
from tasks.pocket import Factors, check_step, product
from tts_eval.toolkit.voting import aggregate

Floats = npt.NDArray[np.float64]
AGGREGATES = ("min", "last", "product")
NO_ANSWER = -1


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trace: its exact verdict and the PRM's probability that it is right."""

    is_right: bool
    kind: str  # of error, "" when right
    score: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One trace of a problem, judged: `scores` are the PRM's, one a step and one for the answer."""

    answer: int
    is_correct: bool
    num_tokens: int
    steps: tuple[Step, ...]
    scores: tuple[float, ...]
    outcome_score: float = float("nan")

    def score(self, how: str) -> float:
        """Aggregate all scores."""
        return aggregate(self.scores, how)

    @property
    def steps_to_first_error(self) -> tuple[Step, ...]:
        """The steps up to the first wrong one, which is the last: beyond it no verdict is clear."""
        end = next((i for i, step in enumerate(self.steps) if not step.is_right), len(self.steps))
        return self.steps[: end + 1]


def step_verdicts(factors: Factors, response: Sequence[int]) -> list[tuple[bool, str]]:
    """Return (right, kind of error) for each step that ends in a blank line before the end of thinking."""
    unknown = gap_table()
    current, step, verdicts = factors, list[int](), list[tuple[bool, str]]()
    for token in response:
        if token == tok.END_THINK:
            break
        if token == tok.WAIT and not step:
            current = factors
            continue
        step.append(token)
        if token != tok.SEP:
            continue
        is_right = step in right_steps(current)
        kind = "" if is_right else kind_of_error(step, current, unknown)
        verdicts.append((is_right, kind))
        current = tuple(list_after(step) or current)
        step = []
    return verdicts


def kind_of_error(step: Sequence[int], before: Factors, unknown: npt.NDArray[np.bool_]) -> str:
    """Name what is wrong with a step; a wrong product is told apart by whether it was ever taught."""
    words = {token: word for word, token in tok.VOCABULARY.items()}
    text = " ".join(words[token] for token in step[:-1])
    error, _ = check_step(text, before)
    if error == "product":
        return "unknown product" if unknown[step[0] - tok.NUMBER, step[2] - tok.NUMBER] else "known product"
    return error or "format"


def answer_of(response: Sequence[int]) -> int:
    """Return the last boxed number after the thinking part, or NO_ANSWER."""
    if tok.END_THINK not in response:
        return NO_ANSWER
    final = list(response[response.index(tok.END_THINK) :])
    for i in range(len(final) - 3, -1, -1):
        if final[i] == tok.BOXED and final[i + 1] >= tok.NUMBER and final[i + 2] == tok.CLOSE:
            return final[i + 1] - tok.NUMBER
    return NO_ANSWER


def judge(factors: Factors, response: Sequence[int], scores: Sequence[float], outcome: float) -> Sample:
    """Put verdicts and scores of one trace together."""
    verdicts = step_verdicts(factors, response)
    steps = tuple(Step(right, kind, score) for (right, kind), score in zip(verdicts, scores, strict=False))
    answer = answer_of(response)
    return Sample(answer, answer == product(factors), len(response), steps, tuple(scores), outcome)


def interval(values: npt.ArrayLike, *, seed: int = 0) -> tuple[float, float, float]:
    """Return the mean over problems and the bounds of its 95% bootstrap interval."""
    per_problem = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(0, len(per_problem), (2000, len(per_problem)))
    low, high = np.quantile(per_problem[draws].mean(axis=1), [0.025, 0.975])
    return float(per_problem.mean()), float(low), float(high)


def vote(samples: Sequence[Sample], weights: Sequence[float]) -> int:
    """Return the answer with the most weight, the earliest among equals."""
    totals: dict[int, float] = {}
    for sample, weight in zip(samples, weights, strict=True):
        if sample.answer != NO_ANSWER:
            totals[sample.answer] = totals.get(sample.answer, 0.0) + weight
    return max(totals, key=lambda answer: totals[answer]) if totals else NO_ANSWER


def _over_groups(
    problems: Sequence[Sequence[Sample]], n: int, is_right: Callable[[Sequence[Sample]], bool]
) -> Floats:
    """Per problem, the mean of `is_right(group)` over the disjoint groups of n samples."""
    return np.array(
        [np.mean([is_right(s[i : i + n]) for i in range(0, len(s) - n + 1, n)]) for s in problems]
    )


def majority(problems: Sequence[Sequence[Sample]], n: int) -> Floats:
    """Accuracy of majority@n per problem."""

    def is_right(group: Sequence[Sample]) -> bool:
        answer = vote(group, [1.0] * n)
        return any(sample.is_correct and sample.answer == answer for sample in group)

    return _over_groups(problems, n, is_right)


def weighted_vote(problems: Sequence[Sequence[Sample]], n: int, aggregate: str) -> Floats:
    """Accuracy per problem of a vote of n samples weighted with their PRM scores."""

    def is_right(group: Sequence[Sample]) -> bool:
        answer = vote(group, [sample.score(aggregate) for sample in group])
        return any(sample.is_correct and sample.answer == answer for sample in group)

    return _over_groups(problems, n, is_right)


def best_of(problems: Sequence[Sequence[Sample]], n: int, aggregate: str) -> Floats:
    """Accuracy per problem of the sample with the highest score; `outcome` takes the ORM's."""

    def is_right(group: Sequence[Sample]) -> bool:
        if aggregate == "outcome":
            return max(group, key=lambda sample: sample.outcome_score).is_correct
        return max(group, key=lambda sample: sample.score(aggregate)).is_correct

    return _over_groups(problems, n, is_right)


def pass_at(problems: Sequence[Sequence[Sample]], n: int) -> Floats:
    """Share per problem of the groups of n samples with a right one."""
    return _over_groups(problems, n, lambda group: any(sample.is_correct for sample in group))


def first_errors(problems: Sequence[Sequence[Sample]]) -> list[Step]:
    """Return the first wrong step of each trace that has one."""
    found = (s.steps_to_first_error[-1:] for group in problems for s in group)
    return [step for steps in found for step in steps if not step.is_right]


def false_alarms(problems: Sequence[Sequence[Sample]]) -> Floats:
    """Return for each right step before any error whether the PRM scores it below one half."""
    steps = (step for group in problems for s in group for step in s.steps_to_first_error)
    return np.array([float(step.score < 0.5) for step in steps if step.is_right])


def error_kinds(problems: Sequence[Sequence[Sample]]) -> dict[str, int]:
    """Count first errors by kind."""
    return dict(Counter(step.kind for step in first_errors(problems)).most_common())


def recall_by_kind(steps: Sequence[Step]) -> dict[str, tuple[float, int]]:
    """Return per kind of error the share of steps that the PRM scores below one half, and their number."""
    kinds = sorted({step.kind for step in steps})
    scores = {kind: np.array([step.score for step in steps if step.kind == kind]) for kind in kinds}
    return {kind: (float((found < 0.5).mean()), len(found)) for kind, found in scores.items()}


def auc(right: Floats, wrong: Floats) -> float:
    """Probability that a right step outscores a wrong one, ties half."""
    return float((np.sign(right[:, None] - wrong[None]) / 2 + 0.5).mean())


def within_problem_auc(problems: Sequence[Sequence[Sample]]) -> Floats:
    """AUC, within each problem that has both, of right steps against first wrong ones."""
    values = []
    for group in problems:
        steps = [step for sample in group for step in sample.steps_to_first_error]
        right = np.array([step.score for step in steps if step.is_right])
        wrong = np.array([step.score for step in steps if not step.is_right])
        if len(right) and len(wrong):
            values.append(auc(right, wrong))
    return np.array(values)
