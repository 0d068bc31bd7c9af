"""No regret where there is none: noise from run to run is not counted, a true one is found with repeats."""

from __future__ import annotations

import pytest

from benchmarks.null_regret import RUN_NOISE, regrets

NUM_TRIALS = 20  # of about four cells each


@pytest.mark.slow
@pytest.mark.parametrize(("repeats", "run_noise"), [(1, None), (1, RUN_NOISE), (3, None)])
def test_noise_is_said_to_be_regret_in_one_of_twenty_cells(repeats: int, run_noise: float | None) -> None:
    table = regrets("usd_per_problem", repeats=repeats, run_noise=run_noise, num_trials=NUM_TRIALS)
    assert (table["regret"] > 0).mean() > 0.2  # many seem to have one
    assert table["is_proven"].mean() <= 0.05


@pytest.mark.slow
def test_three_repeats_find_most_of_the_true_ones() -> None:
    """Half more is about three standard errors; three tenths, two of them, are found in half the cells."""
    table = regrets("usd_per_problem", repeats=3, excess=0.5, num_trials=NUM_TRIALS)
    assert table[table.index.str.endswith("a")]["is_proven"].mean() > 0.6
