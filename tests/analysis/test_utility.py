"""What a problem is worth, on paper."""

import math
from typing import Any

import numpy as np
import pytest

from tests.analysis.by_hand import frames_of, rights
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.utility import best_ranges, upper_envelope, utility

CELLS = Cells.of(
    frames_of(
        {
            "cheap": rights(8, tta_s=1, usd=0.1),
            "vote": rights(12, tta_s=2, usd=0.2),
            "never": rights(9, tta_s=9, usd=0.9),
            "best": rights(16, tta_s=4, usd=1.0),
        },
        repeats=2,
    )
)


def test_a_dollar_a_correct_answer_and_a_cent_a_second() -> None:
    """0.4 - 0.1 - 0.01, 0.6 - 0.2 - 0.02, 0.45 - 0.9 - 0.09, 0.8 - 1.0 - 0.04."""
    table: Any = utility(CELLS, value_per_correct_usd=1, usd_per_wait_s=0.01)
    assert table.index.tolist() == ["vote", "cheap", "best", "never"]
    assert table["utility_usd"].tolist() == pytest.approx([0.38, 0.29, -0.24, -0.54])
    assert table["p_best"].sum() == pytest.approx(1)
    assert table.loc["vote", "p_best"] > 0.5


def test_ranges_of_the_value_of_an_answer() -> None:
    """A vote overtakes cheap at 0.1 / 0.2 dollars, best overtakes vote at 0.8 / 0.2."""
    table: Any = best_ranges(CELLS, over="value_per_correct_usd")
    assert table.index.tolist() == ["cheap", "vote", "best"]
    assert table["low"].tolist() == pytest.approx([0, 0.5, 4])
    assert table["high"].tolist() == pytest.approx([0.5, 4, math.inf])


def test_ranges_of_the_cost_of_waiting() -> None:
    """At ten dollars an answer best is ahead by 1.2 for 2 s more; vote of cheap by 1.9 for 1 s more."""
    table: Any = best_ranges(CELLS, over="usd_per_wait_s", value_per_correct_usd=10)
    assert table.index.tolist() == ["best", "vote", "cheap"]
    assert table["low"].tolist() == pytest.approx([0, 0.6, 1.9])


def test_the_envelope_against_trying_many_rates() -> None:
    random = np.random.default_rng(3)
    slope, at_zero = random.random(30), random.random(30)
    ranges = upper_envelope(slope, at_zero)
    for rate in random.random(500) * 20:
        [line] = [line for line, low, high in ranges if low <= rate < high]
        assert at_zero[line] + slope[line] * rate == pytest.approx((at_zero + slope * rate).max())


def test_a_negative_value_is_told() -> None:
    with pytest.raises(ValueError, match="value_per_correct_usd must be a number from 0, not -1"):
        utility(CELLS, value_per_correct_usd=-1, usd_per_wait_s=0)


def test_one_run_a_cell_does_not_say_how_sure_the_choice_is() -> None:
    cells = Cells.of(frames_of({"a": rights(8), "b": rights(9)}))
    table: Any = utility(cells, value_per_correct_usd=1, usd_per_wait_s=0)
    assert table[["p_best", "utility_usd_low", "utility_usd_high"]].isna().all(axis=None)
