"""How sure a model was of a trace, from the confidences of its tokens (DeepConf, arXiv 2508.15260, 3.1).

A token's confidence is the negative mean log-probability of the likeliest tokens in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

BOTTOM_SHARE = 0.1
ROUNDING = 1e-9

Floats = Sequence[float]


def group_means(confidences: Floats, window: int) -> list[float]:
    """Return the mean over each stretch of `window` tokens; that of all tokens where there are fewer."""
    if len(confidences) <= window:
        return [math.fsum(confidences) / len(confidences)] if confidences else [0.0]
    total = math.fsum(confidences[:window])
    means = [total / window]
    for index in range(window, len(confidences)):
        total += confidences[index] - confidences[index - window]
        means.append(total / window)
    return means


def mean(confidences: Floats, window: int) -> float:
    """Return the mean over the whole trace."""
    return group_means(confidences, max(1, len(confidences)))[0]


def tail(confidences: Floats, window: int) -> float:
    """Return the mean of the last `window` tokens."""
    return group_means(confidences[-window:], window)[0]


def lowest(confidences: Floats, window: int) -> float:
    """Return the lowest group mean."""
    return min(group_means(confidences, window))


def bottom(confidences: Floats, window: int) -> float:
    """Return the mean of the lowest tenth of the group means, at least of one."""
    means = sorted(group_means(confidences, window))
    fewest = means[: max(1, int(len(means) * BOTTOM_SHARE))]
    return math.fsum(fewest) / len(fewest)


MEASURES: dict[str, Callable[[Floats, int], float]] = {
    "mean": mean,
    "tail": tail,
    "bottom": bottom,
    "lowest": lowest,
}


def percentile(values: Floats, share: float) -> float:
    """Return the value below which a `share` in [0, 1] of `values` lies, interpolated linearly."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


class Descent:
    """Watches for the first full window of `window` tokens with a mean below `threshold`, as a trace grows.

    Each token is added once, whatever the number of looks.
    """

    def __init__(self, window: int, threshold: float) -> None:
        self._window = window
        self._least = threshold - ROUNDING * abs(threshold)  # a running sum is off by its last bits
        self._num_seen = 0
        self._total = 0.0

    def first_drop(self, confidences: Floats) -> int | None:
        """Return how many of `confidences`, of which the earlier looks saw the beginning, led to the drop."""
        for place in range(self._num_seen, len(confidences)):
            self._total += confidences[place]
            if place >= self._window:
                self._total -= confidences[place - self._window]
            if place + 1 >= self._window and self._total / self._window < self._least:
                return place + 1
        self._num_seen = len(confidences)
        return None


def first_drop(confidences: Floats, window: int, threshold: float) -> int | None:
    """Return how many tokens there were when a full window first had a mean below `threshold`, if ever."""
    return Descent(window, threshold).first_drop(confidences)
