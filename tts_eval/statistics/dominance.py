"""Which points are on the frontier of accuracy against a cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tts_eval.statistics.bootstrap import Floats

Mask = NDArray[np.bool_]


def undominated(accuracy: Floats, cost: Floats) -> Mask:
    """Return which points no other one dominates; the last axis holds the points, (..., num_points).

    A point is dominated by one that is at least as accurate at no more cost, and better in one of the two.
    Points equal in both are ties: neither dominates the other, and both stay. One of unknown cost (NaN) is
    on no frontier and dominates none.
    """
    known = ~np.isnan(cost)
    accuracy = np.where(known, accuracy, -np.inf)
    cost = np.where(known, cost, np.inf)
    order = np.lexsort((-accuracy, cost), axis=-1)
    sorted_accuracy = np.take_along_axis(accuracy, order, axis=-1)
    sorted_cost = np.take_along_axis(cost, order, axis=-1)
    before = np.concatenate(
        [np.full_like(accuracy[..., :1], -np.inf), np.maximum.accumulate(sorted_accuracy, axis=-1)[..., :-1]],
        axis=-1,
    )
    raises_the_best = sorted_accuracy > before
    positions = np.broadcast_to(np.arange(accuracy.shape[-1]), accuracy.shape)
    cheapest_best = np.maximum.accumulate(np.where(raises_the_best, positions, 0), axis=-1)
    costs_more = sorted_cost > np.take_along_axis(sorted_cost, cheapest_best, axis=-1)
    is_dominated = (before > sorted_accuracy) | ((before == sorted_accuracy) & costs_more)
    mask: Mask = np.empty_like(known)
    np.put_along_axis(mask, order, ~is_dominated, axis=-1)
    return np.asarray(mask & known)
