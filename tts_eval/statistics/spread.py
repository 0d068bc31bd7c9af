"""How a measured quantity spreads over problems.

Knows nothing of what is measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and percentiles (linear interpolation between order statistics)."""

    mean: float
    p50: float
    p90: float
    p99: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Self | None:
        """Return the spread of the values that are known; None where none is."""
        known = [value for value in values if value is not None]
        if not known:
            return None
        p50, p90, p99 = (float(p) for p in np.percentile(known, [50, 90, 99]))
        return cls(float(np.mean(known)), p50, p90, p99)
