"""Five cells on paper: tokens put them into one order, seconds into another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.analysis.by_hand import Solved, frames_of, rights
from tts_eval.analysis.agreement import agreement
from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.frontier import frontier
from tts_eval.analysis.regret import regret
from tts_eval.statistics.dominance import undominated

FIVE = {
    "short": rights(8, tokens=10, tta_s=1.0, usd=0.1),
    "long": rights(12, tokens=40, tta_s=9.0, usd=0.9),  # one trace: few tokens, many seconds
    "vote": rights(12, tokens=80, tta_s=2.0, usd=0.2),  # the same accuracy in parallel
    "worse": rights(7, tokens=50, tta_s=3.0, usd=0.3),
    "best": rights(18, tokens=400, tta_s=10.0, usd=1.8),
}


@pytest.fixture(scope="module")
def cells() -> Cells:
    return Cells.of(frames_of(FIVE, repeats=2))


def test_the_two_frontiers_are_not_the_same(cells: Cells) -> None:
    compute: Any = frontier(cells, "tokens_per_problem")
    system: Any = frontier(cells, "tta_s_p50")
    assert [name for name, row in compute.iterrows() if row["on_frontier"]] == ["short", "long", "best"]
    assert [name for name, row in system.iterrows() if row["on_frontier"]] == ["short", "vote", "best"]
    assert compute.loc["vote", "dominated_by"] == "long"
    assert system.loc["worse", "dominated_by"] == "vote"
    assert compute.loc["short", "accuracy"] == pytest.approx(0.4)
    assert compute.loc["short", "accuracy_low"] < 0.4 < compute.loc["short", "accuracy_high"]
    assert compute.loc["long", "cost"] == 40


def test_regret_is_what_the_other_cell_would_have_saved(cells: Cells) -> None:
    """By tokens one deploys `long`; `vote` is as accurate, 7 s faster; within 9 s nothing is better."""
    table: Any = regret(cells, compute="tokens_per_problem", system="tta_s_p50")
    assert table.index.tolist() == ["short", "long", "best"]
    assert table["regret"].tolist() == pytest.approx([0, 7, 0])
    assert table.loc["long", "system_cell"] == "vote"
    assert table["share_kept"].tolist() == [1, 0, 1]
    assert (table.loc["long", "regret_low"], table.loc["long", "regret_high"]) == pytest.approx((7, 7))
    assert table.loc["long", "regret_ratio"] == pytest.approx(4.5)
    assert table["accuracy_lost"].tolist() == pytest.approx([0, 0, 0])
    assert table["p_same"].tolist() == pytest.approx([1, 0, 1], abs=0.01)


def test_accuracy_too_is_lost_by_the_wrong_choice() -> None:
    """By tokens `slow` is chosen for 8 of 20; for the same 5 seconds `fast` has 14."""
    cells = Cells.of(
        frames_of({"slow": rights(8, tokens=10, tta_s=5), "fast": rights(14, tokens=90, tta_s=5)})
    )
    row: Any = regret(cells, compute="tokens_per_problem", system="tta_s_p99").loc["slow"]
    assert (row["accurate_cell"], row["accuracy_lost"]) == ("fast", pytest.approx(0.3))
    assert 0 < row["accuracy_lost_low"] < 0.3 < row["accuracy_lost_high"]
    assert (row["system_cell"], row["regret"]) == ("slow", 0)  # nothing is faster


def test_dollars_per_correct_answer_divide_by_accuracy(cells: Cells) -> None:
    table: Any = frontier(cells, "usd_per_correct")
    assert table["cost"].tolist() == pytest.approx([0.25, 1.5, 1 / 3, 0.3 / 0.35, 2.0])
    assert table["cost_low"]["vote"] < 1 / 3 < table["cost_high"]["vote"]


def test_two_orders_of_five_cells(cells: Cells) -> None:
    """Of ten pairs, long-vote, long-worse and worse-vote are turned round: (7 - 3) / 10."""
    both = agreement(cells, "tokens_per_problem", "tta_s_p50")
    assert both.tau == pytest.approx(0.4)
    assert both.num_cells == 5
    assert both.ci95 == pytest.approx((0.4, 0.4))


def test_cells_that_tie_are_both_on_the_frontier() -> None:
    table: Any = frontier(Cells.of(frames_of({"one": rights(9), "other": rights(9)}, repeats=2)), "tta_s_p50")
    assert table["on_frontier"].tolist() == [True, True]
    assert table["p_on_frontier"].tolist() == [1, 1]


def test_a_narrow_lead_is_on_the_frontier_in_part_of_the_resamples() -> None:
    """The dearer cell is right on one problem more; the two differ on three."""
    cheap = [*rights(10), Solved(True), Solved(False), Solved(False)]
    dear = [*rights(10, tokens=20), Solved(False, 20), Solved(True, 20), Solved(True, 20)]
    table: Any = frontier(Cells.of(frames_of({"cheap": cheap, "dear": dear})), "tokens_per_problem")
    assert table["on_frontier"].tolist() == [True, True]
    assert table.loc["cheap", "p_on_frontier"] == 1
    assert 0.5 < table.loc["dear", "p_on_frontier"] < 0.9


def test_what_was_not_measured_is_on_no_frontier(cells: Cells) -> None:
    table: Any = frontier(cells, "joules_per_problem")
    assert not table["on_frontier"].any()
    assert table["p_on_frontier"].isna().all()


def test_repeats_of_a_cell_tell_less_than_new_problems() -> None:
    once, fourfold = (Cells.of(frames_of({"c": rights(10)}, repeats=n)) for n in (1, 4))
    assert fourfold.num_repeats == (4,)
    assert fourfold.accuracy_interval(0) == pytest.approx(once.accuracy_interval(0), abs=0.02)


def test_one_run_a_cell_proves_no_regret() -> None:
    """Sevenfold time may be the machine's: nobody knows how far it repeats itself, unless that is stated."""
    frames = frames_of(FIVE)
    row: Any = regret(Cells.of(frames), compute="tokens_per_problem", system="tta_s_p50").loc["long"]
    assert (row["regret"], row["is_proven"]) == (7, False)
    assert math.isnan(row["regret_low"])
    table: Any = frontier(Cells.of(frames), "tta_s_p50")
    assert table["p_on_frontier"].isna().all()
    assert set(table["cost_interval_over"]) == {"problems"}
    stated = Cells.of(frames, run_noise=0.14)
    row = regret(stated, compute="tokens_per_problem", system="tta_s_p50").loc["long"]
    assert row["is_proven"]
    assert 3 < row["regret_low"] < 7 < row["regret_high"]
    with pytest.raises(ValueError, match=r"run_noise must be a number from 0, not -0\.1"):
        Cells.of(frames, run_noise=-0.1)


def test_a_choice_that_was_luck_is_no_regret() -> None:
    """Runs differ by a tenth or a fifth, now to one side and now to the other."""
    frames = frames_of({"one": rights(10, tokens=10), "other": rights(10, tokens=20)}, repeats=4)
    factor = {"one/0": 1.1, "one/1": 1.1, "one/2": 1.1, "one/3": 0.8, "other/0": 1.0, "other/1": 1.2}
    frames.problems["tta_s"] *= frames.problems["run"].map(factor).fillna(1.0)
    row: Any = regret(Cells.of(frames), compute="tokens_per_problem", system="tta_s_mean").loc["one"]
    assert not row["is_proven"]
    assert row["regret_low"] <= 0
    assert row["share_kept"] in (0.5, 0.75)  # dearer only without the run of 0.8; one of the others is a tie


def test_a_cell_that_failed_on_most_problems_is_on_no_frontier() -> None:
    failing = [Solved(False, tokens=1, tta_s=0.1, usd=0, error="IndexError") for _ in range(20)]
    cells = Cells.of(frames_of({"failing": failing, "vote": rights(12)}))
    table: Any = frontier(cells, "tta_s_p50")
    assert table["on_frontier"].to_dict() == {"failing": False, "vote": True}
    assert math.isnan(table.loc["failing", "cost"])
    assert cells.failed_shares.tolist() == [1, 0]


def test_running_a_seed_again_repeats_the_times_and_not_the_answers() -> None:
    frames = frames_of({"c": rights(10)}, repeats=4)
    frames.runs["seed"] = [0, 0, 0, 1]
    cells = Cells.of(frames)
    assert (cells.num_runs, cells.num_repeats) == ((4,), (2,))
    assert cells.run_noise(axis_of("tta_s_mean")) is not None


def test_times_of_one_run_under_an_open_load_have_no_interval() -> None:
    frames = frames_of(FIVE)
    frames.runs["is_open_load"] = True
    table: Any = frontier(Cells.of(frames), "tta_s_mean")
    assert table["cost_low"].isna().all()
    assert table["cost"].notna().all()


def test_a_p99_of_few_problems_has_no_upper_end(cells: Cells) -> None:
    table: Any = frontier(cells, "tta_s_p99")
    assert np.isinf(table["cost_high"]).all()
    assert (table["cost_low"] <= table["cost"]).all()


def test_an_unknown_axis_is_told(cells: Cells) -> None:
    with pytest.raises(ValueError, match="there is no axis 'seconds'; allowed: flops_per_problem, "):
        frontier(cells, "seconds")


def test_dominance_against_looking_at_every_pair() -> None:
    random = np.random.default_rng(0)
    accuracy, cost = random.integers(0, 6, (300, 9)) / 5, random.integers(0, 6, (300, 9)).astype(float)
    cost[random.random((300, 9)) < 0.1] = math.nan
    better_or_equal = (accuracy[:, :, None] >= accuracy[:, None, :]) & (cost[:, :, None] <= cost[:, None, :])
    strictly = (accuracy[:, :, None] > accuracy[:, None, :]) | (cost[:, :, None] < cost[:, None, :])
    expected = ~(better_or_equal & strictly).any(axis=1) & ~np.isnan(cost)
    assert np.array_equal(undominated(accuracy, cost), expected)
