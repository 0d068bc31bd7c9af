"""Resamples of problems, against writing them out."""

import numpy as np
import pytest

from tts_eval.statistics.bootstrap import resampled_quantiles, resamples


def test_everybody_gets_the_same_resamples() -> None:
    weights = resamples(7, 50)
    assert weights.shape == (50, 7)
    assert set(weights.sum(axis=1)) == {7}
    assert np.array_equal(weights, resamples(7, 50))
    with pytest.raises(ValueError, match="read-only"):
        weights[0, 0] = 1


@pytest.mark.parametrize("q", [0.0, 0.5, 0.99, 1.0])
def test_a_quantile_is_numpys_of_the_values_written_out(q: float) -> None:
    rows = np.random.default_rng(0).integers(0, 9, size=(3, 40)) / 3
    weights = resamples(40, 200)
    expected = [[np.quantile(np.repeat(values, row.astype(int)), q) for row in weights] for values in rows]
    assert resampled_quantiles(rows, weights, q) == pytest.approx(np.array(expected))
