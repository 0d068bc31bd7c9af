"""95% intervals of quantiles from order statistics, which need no shape of the distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc

from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import CI95

# An end that so few values cannot give is None.
HalfOpen = Annotated[tuple[float | None, float | None], CI95]


def quantile_ci95(
    values: Sequence[float] | Floats, q: float, *, num_effective: float | None = None
) -> HalfOpen | None:
    """Return the interval of the `q`-quantile of the distribution that `values` were drawn from.

    Its ends are fractional order statistics (Hutson, Journal of Applied Statistics 26, 1999). The j-th of n
    values is above the quantile with the chance that fewer than j of them are below it, a binomial tail: at
    the lower end it is 2.5%, at the upper one 97.5%. Too few values have no upper end (p99 below 368), and
    the lower one alone is then given so that 95% of such ends are below the quantile; p01 has no lower end
    likewise. None where neither is known (p50 below 6).

    Dependent values count for `num_effective` independent ones. A time that was cut off stands as infinity;
    an end that falls on one is None.
    """
    if not 0 < q < 1:
        raise ValueError(f"q must be a number between 0 and 1, not {q!r}")
    ordered = np.sort(np.asarray(values, float))
    n = float(len(ordered) if num_effective is None else min(num_effective, len(ordered)))
    if n < 1:
        return None
    low, high = _end(ordered, n, q, 0.025), _end(ordered, n, q, 0.975)
    if (low is None) == (high is None):
        return None if low is None else (low, high)
    return (_end(ordered, n, q, 0.05), None) if high is None else (None, _end(ordered, n, q, 0.95))


def _end(ordered: Floats, n: float, q: float, chance: float) -> float | None:
    """Return the value that lies above the `q`-quantile with `chance`; None where none of the values does."""
    least, most = _chance_above(1, n, q), _chance_above(n, n, q)
    if chance >= most:
        if chance > 0.5:
            return None
        rank = n  # for want of a larger one: it is above with less than `chance`
    elif chance <= least:
        if chance < 0.5:
            return None
        rank = 1.0
    else:
        rank = float(brentq(lambda rank: _chance_above(rank, n, q) - chance, 1, n))
    place = (rank - 1) * (len(ordered) - 1) / (n - 1) if n > 1 else 0.0
    low, high = float(ordered[math.floor(place)]), float(ordered[math.ceil(place)])
    value = low if low == high else low + (place - math.floor(place)) * (high - low)
    return value if math.isfinite(value) else None


def _chance_above(rank: float, n: float, q: float) -> float:
    """Return the chance that the value of fractional `rank` among `n` lies above the `q`-quantile."""
    return float(betainc(n - rank + 1, rank, 1 - q))
