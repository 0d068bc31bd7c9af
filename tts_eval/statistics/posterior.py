"""What is known of an accuracy on few problems: a posterior instead of a resample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from tts_eval.statistics.intervals import Interval

NUM_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Posterior:
    """Mean, standard deviation and 95% credible interval of an accuracy."""

    mean: float
    deviation: float
    ci95: Interval


def same_problems_posterior(num_correct: ArrayLike, num_samples: ArrayLike) -> Posterior:
    """Return what is known of the accuracy on these very problems, were they sampled without end.

    Every problem has its own chance of a right sample, uniform before the samples were seen: Bayes@N of
    "Don't Pass@k" (Hariri et al., arXiv 2510.04265). Arrays hold one entry a problem. With one sample a
    problem the prior weighs twice as much as the data, and pulls every accuracy towards one half.
    """
    right, all_ = np.asarray(num_correct, float), np.asarray(num_samples, float)
    a, b = 1 + right, 1 + all_ - right
    variance = (a * b / ((a + b) ** 2 * (a + b + 1))).sum() / len(a) ** 2
    draws = np.random.default_rng(0).beta(a, b, size=(NUM_DRAWS, len(a))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Posterior(float((a / (a + b)).mean()), float(np.sqrt(variance)), (float(low), float(high)))


def new_problems_posterior(num_correct: int, num_problems: int) -> Posterior:
    """Return what is known of the accuracy on problems like these, from one sample of each.

    The posterior of a proportion under Jeffreys' prior, Beta(1/2, 1/2); its interval covers like the score
    interval (Brown, Cai and DasGupta, Statistical Science 16, 2001).
    """
    a, b = num_correct + 0.5, num_problems - num_correct + 0.5
    low, high = betaincinv(a, b, [0.025, 0.975])
    deviation = float(np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))))
    return Posterior(a / (a + b), deviation, (float(low), float(high)))
