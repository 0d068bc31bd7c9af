"""What is known of an accuracy on thirty problems."""

import numpy as np
import pytest
import scipy.stats

from tts_eval.statistics.posterior import new_problems_posterior, same_problems_posterior


def test_scorio_has_the_same_mean_and_deviation() -> None:
    scorio = pytest.importorskip("scorio.eval")
    right = (np.random.default_rng(0).random((30, 8)) < np.linspace(0, 1, 30)[:, None]).astype(int)
    mean, deviation = scorio.bayes(right)
    posterior = same_problems_posterior(right.sum(axis=1), np.full(30, 8))
    assert (posterior.mean, posterior.deviation) == pytest.approx((mean, deviation), abs=1e-9)


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    """Problems whose chances are drawn from the prior: 95% of 50 intervals, give or take four errors."""
    random = np.random.default_rng(2)
    hits = 0
    for _ in range(50):
        chances = random.random(30)
        low, high = same_problems_posterior(random.binomial(4, chances), np.full(30, 4)).ci95
        hits += low <= chances.mean() <= high
    assert abs(hits / 50 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 50)


def test_one_sample_a_problem_is_pulled_towards_one_half() -> None:
    assert same_problems_posterior(np.ones(30), np.ones(30)).mean == pytest.approx(2 / 3)


def test_jeffreys_interval_is_that_of_a_beta_variable() -> None:
    posterior, beta = new_problems_posterior(3, 30), scipy.stats.beta(3.5, 27.5)
    assert posterior.ci95 == pytest.approx(beta.interval(0.95), abs=1e-9)
    assert (posterior.mean, posterior.deviation) == pytest.approx((beta.mean(), beta.std()), abs=1e-9)
