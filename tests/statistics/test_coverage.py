"""The 95% intervals hold the truth in 93 to 97% of 2,000 simulated benchmarks."""

import pytest

from benchmarks.coverage import (
    ACCURACY,
    COST_PER_CORRECT,
    DIFFERENCE,
    MEAN_COST,
    Quantity,
    World,
    coverage,
)

EVEN, REPEATED = World(ease=0, spread=1.5), World(ease=0, spread=1.5, num_repeats=4)
HARD = World(ease=-1.5, spread=1.5)  # a quarter of the answers are right


@pytest.mark.slow
@pytest.mark.parametrize("num_problems", [30, 100])
@pytest.mark.parametrize("world", [EVEN, REPEATED], ids=["once", "four repeats"])
@pytest.mark.parametrize("quantity", [ACCURACY, DIFFERENCE], ids=lambda quantity: quantity.name)
def test_accuracies(quantity: Quantity, world: World, num_problems: int) -> None:
    assert 0.93 <= coverage(quantity, world, num_problems=num_problems) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("quantity", [COST_PER_CORRECT, MEAN_COST], ids=lambda quantity: quantity.name)
def test_skewed_costs(quantity: Quantity) -> None:
    assert 0.93 <= coverage(quantity, EVEN, num_problems=100) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("world", [EVEN, REPEATED, HARD], ids=["even", "four repeats", "hard"])
def test_cost_per_correct_of_thirty_problems(world: World) -> None:
    assert 0.93 <= coverage(COST_PER_CORRECT, world, num_problems=30) <= 0.97
