"""Scores against labels, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tts_eval.statistics.classification import (
    calibration,
    estimate,
    expected_calibration_error,
    precision_of_wrong,
    recall_of_wrong,
    roc_auc,
)

SCORES = [[0.9, 0.4, 0.4], [0.8, 0.1]]
LABELS = [[1, 1, 0], [0, 0]]


def test_auc_counts_pairs_and_ties_for_half() -> None:
    """Right .9 beats .4, .8, .1; right .4 ties .4, loses to .8, beats .1: 4.5 of 6 pairs."""
    assert estimate(roc_auc, SCORES, LABELS).value == pytest.approx(4.5 / 6)


def test_precision_and_recall_are_those_of_wrong_steps() -> None:
    """Below .5 are .4 (right), .4, .1: two of the three are wrong, and two of all three wrong ones."""
    assert estimate(precision_of_wrong(0.5), SCORES, LABELS).value == pytest.approx(2 / 3)
    assert estimate(recall_of_wrong(0.5), SCORES, LABELS).value == pytest.approx(2 / 3)


def test_what_is_not_defined_is_none() -> None:
    assert estimate(roc_auc, [[0.5, 0.6]], [[1, 1]]).value is None
    assert estimate(precision_of_wrong(0.05), SCORES, LABELS).value is None


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Scores of right steps are uniform, those of wrong ones their squares: AUC 2/3."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(10):
        labels = rng.integers(0, 2, size=(120, 1))
        scores = rng.random((120, 1)) ** np.where(labels == 1, 1, 2)
        interval = estimate(roc_auc, scores.tolist(), labels.tolist()).ci95
        assert interval is not None
        hits += interval[0] <= 2 / 3 <= interval[1]
    assert hits >= 8


def test_calibration_bins() -> None:
    bins = calibration([0.05, 0.15, 0.95, 1.0], [0, 1, 1, 1])

    assert [(b.count, b.share_right) for b in bins] == [(1, 0.0), (1, 1.0), (2, 1.0)]
    assert [b.low for b in bins] == pytest.approx([0.0, 0.1, 0.9])
    assert expected_calibration_error(bins) == pytest.approx((0.05 + 0.85 + 2 * 0.025) / 4)
