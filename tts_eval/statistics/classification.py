"""How well scores in [0, 1] separate right and wrong: precision, recall, ROC-AUC, calibration; intervals.

Steps of one trace belong together: intervals leave out traces, not steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from tts_eval.statistics.intervals import Interval, proportion_ci95

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Floats, Floats], float]  # of scores, labels (1 right) and weights


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval; None where it is not defined."""

    value: float | None
    ci95: Interval | None


@dataclass(frozen=True, slots=True)
class Bin:
    """The scores in [low, high): how many, their mean, and the share of them that was right."""

    low: float
    high: float
    count: int
    mean_score: float
    share_right: float


def roc_auc(scores: Floats, labels: Floats, weights: Floats) -> float:
    """Return the chance that a right one scores above a wrong one, ties counting half; nan without both."""
    _, place = np.unique(scores, return_inverse=True)
    right = np.bincount(place, weights * labels)
    wrong = np.bincount(place, weights * (1 - labels))
    below = np.cumsum(wrong) - wrong
    pairs = right.sum() * wrong.sum()
    return float((right * (below + wrong / 2)).sum() / pairs) if pairs else float("nan")


def precision_of_wrong(threshold: float) -> Statistic:
    """Return the share of truly wrong ones among those that score below `threshold`."""
    return lambda scores, labels, weights: _share(1 - labels, weights * (scores < threshold))


def recall_of_wrong(threshold: float) -> Statistic:
    """Return the share of the wrong ones that score below `threshold`."""
    return lambda scores, labels, weights: _share((scores < threshold).astype(float), weights * (1 - labels))


def estimate(
    statistic: Statistic, scores: Sequence[Sequence[float]], labels: Sequence[Sequence[int]]
) -> Estimate:
    """Return `statistic` over all steps; `scores` and `labels` (1 right, 0 wrong) hold a sequence a trace."""
    lengths = [len(trace) for trace in scores]
    flat_scores = np.array([score for trace in scores for score in trace], dtype=float)
    flat_labels = np.array([label for trace in labels for label in trace], dtype=float)
    value = statistic(flat_scores, flat_labels, np.ones(len(flat_scores)))
    if np.isnan(value):
        return Estimate(None, None)
    traces = np.repeat(np.arange(len(scores)), lengths)
    without = np.array(
        [statistic(flat_scores, flat_labels, (traces != trace).astype(float)) for trace in range(len(scores))]
    )
    return Estimate(value, _ci95(value, without[~np.isnan(without)]))


def _ci95(value: float, without: Floats) -> Interval | None:
    """Return the jackknife interval on the logit (Miller, Biometrika 61, 1974), a trace left out at a time.

    The logit of 0 or 1 has no end: there it is the score interval of as many trials as there are traces.
    """
    num_traces = len(without)
    if num_traces < 2:
        return None
    if min(value, *without) == 0 or max(value, *without) == 1:
        return proportion_ci95(value * num_traces, num_traces)
    logits = logit(without)
    error = math.sqrt((num_traces - 1) * float(logits.var()))
    half = float(stdtrit(num_traces - 1, 0.975)) * error
    return float(expit(logit(value) - half)), float(expit(logit(value) + half))


def calibration(scores: Sequence[float], labels: Sequence[int], *, num_bins: int = 10) -> list[Bin]:
    """Return the bins of equal width that hold any score."""
    values, right = np.asarray(scores, dtype=float), np.asarray(labels, dtype=float)
    places = np.minimum((values * num_bins).astype(int), num_bins - 1)
    return [
        Bin(
            low=place / num_bins,
            high=(place + 1) / num_bins,
            count=int((places == place).sum()),
            mean_score=float(values[places == place].mean()),
            share_right=float(right[places == place].mean()),
        )
        for place in np.unique(places)
    ]


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Return the mean distance of score and share right over the bins (Guo et al., arXiv 1706.04599)."""
    total = sum(b.count for b in bins)
    return sum(b.count * abs(b.mean_score - b.share_right) for b in bins) / total


def _share(of: Floats, weights: Floats) -> float:
    total = float(weights.sum())
    return float((of * weights).sum()) / total if total else float("nan")
