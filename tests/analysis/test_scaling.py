"""Curves through points that lie on them, and choices that can be made by eye."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.analysis.by_hand import Solved, frames_of, rights
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.difficulty import by_difficulty, oracle_difficulty
from tts_eval.analysis.scaling import equivalents, scaling
from tts_eval.statistics.scaling import fit_log_linear, fit_saturating

X = np.array([1.0, 2, 4, 8, 16, 32, 64])


def test_a_line_in_the_logarithm_is_found() -> None:
    accuracy = 0.2 + 0.05 * np.log2(X)
    fit = fit_log_linear(X, accuracy, np.stack([accuracy, accuracy]))
    assert (fit.at_one.value, fit.gain_per_doubling.value) == pytest.approx((0.2, 0.05))
    assert fit.rmse == pytest.approx(0, abs=1e-12)


def test_a_saturating_curve_is_found_and_where_it_is_flat() -> None:
    """0.9 - 0.6 / x gains 0.3 / x by doubling: less than a hundredth from 30 on."""
    accuracy = 0.9 - 0.6 / X
    fit = fit_saturating(X, accuracy, np.stack([accuracy, accuracy]), min_gain=0.01)
    assert (fit.ceiling.value, fit.scale.value, fit.exponent.value) == pytest.approx((0.9, 0.6, 1), rel=0.05)
    assert fit.saturates_at.value == pytest.approx(30, rel=0.1)
    assert fit.saturates_at.ci95 == pytest.approx((fit.saturates_at.value,) * 2)


def test_no_curve_rises_above_one() -> None:
    """Three tenths a doubling would be 2.4 at 128; 1 - 0.9 / x is as good as any curve that ends at 1."""
    steep = np.array([0.1, 0.4, 0.7, 1.0])
    fit = fit_saturating(X[:4], steep, np.stack([steep, steep]), min_gain=0.01)
    assert fit.ceiling.value == pytest.approx(1)
    assert fit.saturates_at.value < 1000
    to_one = 1 - 0.9 / X
    fit = fit_saturating(X, to_one, np.stack([to_one, to_one]), min_gain=0.01)
    assert (fit.ceiling.value, fit.scale.value) == pytest.approx((1, 0.9), rel=0.03)


def test_a_curve_that_falls_is_flat_from_the_start() -> None:
    fit = fit_saturating(X, 0.5 - 0.01 * np.log2(X), np.tile(0.5 - 0.01 * np.log2(X), (2, 1)), min_gain=0.01)
    assert (fit.scale.value, fit.saturates_at.value) == pytest.approx((0, 0), abs=1e-9)


def test_cells_are_fitted_by_name() -> None:
    cells = Cells.of(
        frames_of({f"n={n}": rights(4 + 3 * i, tokens=10 * n) for i, n in enumerate((1, 2, 4, 8))})
    )
    fit = scaling(cells, cells.names, axis="tokens_per_problem")
    assert fit.log_linear.gain_per_doubling.value == pytest.approx(0.15)
    low, high = fit.log_linear.gain_per_doubling.ci95
    assert low < 0.15 < high
    assert fit.saturating is not None
    with pytest.raises(ValueError, match="there is no cell 'n=3'; allowed: n=1, n=2, n=4, n=8"):
        scaling(cells, ["n=3"], axis="tokens_per_problem")
    with pytest.raises(ValueError, match="at least 2 different points"):
        scaling(cells, ["n=1"], axis="tokens_per_problem")


def test_a_large_model_stands_beside_a_small_one_that_thinks_for_as_many_flops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token of the large model costs ten times as much: ten tokens of it are worth a hundred."""
    solved = {
        "large": rights(12, tokens=10),
        "small": rights(15, tokens=100),
        "small, little": rights(8, tokens=10),
    }
    models = {"large": "7B", "small": "1B", "small, little": "1B"}
    frames = frames_of(solved, models=models)
    flops = frames.problems["cell"].map({"large": 1000.0, "small": 1000.0, "small, little": 100.0})
    monkeypatch.setattr("tts_eval.analysis.cells.flops_by_problem", lambda frames: flops)
    cells = Cells.of(frames)
    [pair] = equivalents(cells).to_dict("records")
    assert (pair["big"], pair["small"]) == ("large", "small")
    assert (pair["big_tokens"], pair["small_tokens"], pair["cost_ratio"]) == (10, 100, 1)
    assert pair["difference"] == pytest.approx(-0.15)
    assert pair["difference_low"] < -0.15 < pair["difference_high"]
    assert len(equivalents(cells, within=10)) == 2
    with pytest.raises(ValueError, match=r"within must be a factor from 1, not 0\.5"):
        equivalents(cells, within=0.5)


def test_each_difficulty_gets_the_cell_that_is_best_on_it() -> None:
    """Thinking little is right on the 30 easy ones alone, thinking long on the 30 hard ones alone."""
    easy_first = [Solved(number < 30, level=1 + (number >= 30)) for number in range(60)]
    hard_first = [Solved(number >= 30, level=1 + (number >= 30)) for number in range(60)]
    cells = Cells.of(frames_of({"little": easy_first, "long": hard_first}))
    levels = dict(zip(cells.problems, cells.levels, strict=True))
    table: Any = by_difficulty(cells, levels, source="oracle", axis="tokens_per_problem", budget=10)
    assert table["cell"].tolist()[:2] == ["little", "long"]
    assert table["accuracy"].tolist() == [1, 1, 1]
    assert table.loc["all", "one_for_all"] < 0.6
    assert table.loc["all", "gain_low"] > 0.3
    assert set(table["difficulty"]) == {"oracle"}


def test_a_difficulty_that_says_nothing_gains_nothing() -> None:
    """Chances are equal for both cells; choosing on the other folds must not look better than it is."""
    random = np.random.default_rng(0)
    cells = Cells.of(
        frames_of({name: [Solved(bool(random.random() < 0.5)) for _ in range(400)] for name in "abcd"})
    )
    guess = dict(zip(cells.problems, random.random(400), strict=True))
    row: Any = by_difficulty(cells, guess, source="predicted", axis="tta_s_p50", budget=1).loc["all"]
    assert row["gain_low"] < 0 < row["gain_high"]


def test_an_oracle_has_seen_the_answers() -> None:
    cells = Cells.of(frames_of({"a": rights(1, 2)}))
    assert oracle_difficulty(cells, "a") == {"p0": 0, "p1": 1}


def test_no_cell_within_the_budget_is_told() -> None:
    cells = Cells.of(frames_of({"a": rights(1, 2)}))
    with pytest.raises(ValueError, match="no cell costs at most 5 on tokens_per_problem"):
        by_difficulty(cells, {"p0": 0, "p1": 1}, source="oracle", axis="tokens_per_problem", budget=5)
