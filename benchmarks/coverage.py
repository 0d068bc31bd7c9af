"""How often the 95% intervals hold the truth, on simulated problems: `python -m benchmarks.coverage`.

A problem has a difficulty; strategies' chances, and how long they think, both depend on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import (
    Interval,
    accuracy_ci95,
    accuracy_difference_ci95,
    mean_ci95,
    ratio_ci95,
)

NUM_TRIALS = 2000
NUM_FOR_TRUTH = 2_000_000


@dataclass(frozen=True, slots=True)
class World:
    """Problems of varied difficulty: `ease` is the mean log-odds of a right answer, `spread` their deviation.

    `gain` is what the better strategy adds to the log-odds; costs are log-normal with deviation `cost_spread`
    and dearer for hard problems.
    """

    ease: float
    spread: float
    gain: float = 0.7
    cost_spread: float = 1.0
    num_repeats: int = 1

    def draw(self, num_problems: int, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Return, by problem, the accuracies of two strategies over the repeats, and the first one's cost."""
        difficulty = random.normal(size=num_problems)
        chance = _sigmoid(self.ease - self.spread * difficulty)
        better = _sigmoid(
            self.ease + self.gain - self.spread * difficulty + 0.5 * random.normal(size=num_problems)
        )
        cost = np.exp(self.cost_spread * (0.6 * difficulty + 0.8 * random.normal(size=num_problems)))
        right = random.binomial(self.num_repeats, chance) / self.num_repeats
        also_right = random.binomial(self.num_repeats, better) / self.num_repeats
        return right, also_right, cost


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure: its true value in a world, and its interval from a draw."""

    name: str
    of: Callable[[Floats, Floats, Floats], float]
    interval: Callable[[Floats, Floats, Floats, int], Interval | None]


ACCURACY = Quantity(
    "accuracy",
    lambda right, better, cost: float(right.mean()),
    lambda right, better, cost, num_repeats: accuracy_ci95(right, num_repeats=num_repeats),
)
DIFFERENCE = Quantity(
    "paired difference",
    lambda right, better, cost: float(better.mean() - right.mean()),
    lambda right, better, cost, num_repeats: accuracy_difference_ci95(better, right, num_repeats=num_repeats),
)
COST_PER_CORRECT = Quantity(
    "cost per correct",
    lambda right, better, cost: float(cost.mean() / right.mean()),
    lambda right, better, cost, num_repeats: ratio_ci95(cost, right),
)
MEAN_COST = Quantity(
    "mean cost",
    lambda right, better, cost: float(cost.mean()),
    lambda right, better, cost, num_repeats: mean_ci95(cost),
)
QUANTITIES = (ACCURACY, DIFFERENCE, COST_PER_CORRECT, MEAN_COST)


def coverage(quantity: Quantity, world: World, *, num_problems: int, num_trials: int = NUM_TRIALS) -> float:
    """Return the share of trials whose interval holds the truth."""
    random = np.random.default_rng(1)
    truth = quantity.of(*world.draw(NUM_FOR_TRUTH, random))
    hits = 0
    for _ in range(num_trials):
        low, high = quantity.interval(*world.draw(num_problems, random), world.num_repeats) or (
            math.nan,
            math.nan,
        )
        hits += low <= truth <= high
    return hits / num_trials


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def main() -> None:
    """Print a table: a row a world and number of problems, a column a quantity."""
    worlds = {
        "even": World(ease=0, spread=1.5),
        "hard": World(ease=-1.5, spread=1.5),
        "easy": World(ease=2, spread=1.5),
        "even, 4 repeats": World(ease=0, spread=1.5, num_repeats=4),
    }
    print(f"coverage of 95% intervals, {NUM_TRIALS} trials (error 0.005)")
    print(f"{'world':<16}{'problems':>9}", *(f"{quantity.name:>18}" for quantity in QUANTITIES))
    for name, world in worlds.items():
        for num_problems in (30, 100, 300):
            shares = [coverage(quantity, world, num_problems=num_problems) for quantity in QUANTITIES]
            print(f"{name:<16}{num_problems:>9}", *(f"{share:>18.3f}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
