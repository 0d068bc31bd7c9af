"""The first step that goes wrong, found or not."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from tts_eval.statistics.first_error import NO_ERROR, FirstErrors, first_error, first_errors


def test_the_first_score_below_the_threshold() -> None:
    assert first_error([0.9, 0.4, 0.1], 0.5) == 1
    assert first_error([0.9, 0.5], 0.5) == NO_ERROR
    assert first_error([], 0.5) == NO_ERROR


def test_accuracies_and_their_harmonic_mean() -> None:
    """Of three wrong solutions one is found where it goes wrong; of two right ones, one is left alone."""
    found = first_errors([1, 0, NO_ERROR, NO_ERROR, 2], [1, 2, 3, NO_ERROR, NO_ERROR])
    assert astuple(found) == pytest.approx((3, 2, 1 / 3, 0.5, 0.4))


def test_without_solutions_of_both_kinds_there_is_no_f1() -> None:
    assert first_errors([0], [0]) == FirstErrors(1, 0, 1.0, None, None)
    assert first_errors([1, 0], [0, NO_ERROR]) == FirstErrors(1, 1, 0.0, 0.0, 0.0)
