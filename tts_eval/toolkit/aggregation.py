"""From the scores of a trace's steps to one score of the trace.

Knows no verifier and no strategy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

AGGREGATIONS = ("min", "product", "last", "mean", "max")


def aggregate(scores: Sequence[float], how: str) -> float:
    """Return one score in [0, 1] of `scores`, one a step, each in [0, 1]; a trace without steps scores 0.

    min, product: Lightman et al., arXiv 2305.20050, appendix F. last: Snell et al., arXiv 2408.03314,
    section 5.1. Raises ValueError for another `how`.
    """
    if how not in AGGREGATIONS:
        raise ValueError(f"aggregation={how!r} is not known; allowed: {', '.join(AGGREGATIONS)}")
    if not scores:
        return 0.0
    match how:
        case "min":
            return min(scores)
        case "product":
            return math.prod(scores)
        case "last":
            return scores[-1]
        case "mean":
            return math.fsum(scores) / len(scores)
        case _:
            return max(scores)
