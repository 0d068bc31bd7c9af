"""How a measured quantity spreads over problems or calls, some of which were stopped before it was known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.quantiles import HalfOpen, quantile_ci95


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean, standard deviation and percentiles of `n` values, of which `num_censored` are not known.

    A censored value is known to be larger than what was waited for it. Percentiles are then those of Kaplan
    and Meier (JASA 53, 1958), None where they lie beyond all that was seen; the mean is theirs up to the
    largest time seen, a lower bound; there is no standard deviation. Without censoring percentiles are
    interpolated linearly between order statistics. The intervals of p50 and p99 take values for independent.
    """

    n: int
    num_censored: int
    mean: float
    std: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p50_ci95: HalfOpen | None = None
    p99_ci95: HalfOpen | None = None

    @classmethod
    def of(cls, values: Iterable[float | None], censored: Iterable[float] = ()) -> Self | None:
        """Return the spread of the `values` that are known and of those beyond `censored`.

        None without any, and where nothing is known of `values` that nobody stopped (None): then it is not
        for want of time that these are missing.
        """
        listed = list(values)
        known = np.array([value for value in listed if value is not None], float)
        cut = np.array(list(censored), float)
        if not len(known) and (listed or not len(cut)):
            return None
        std: float | None = None
        if len(cut):
            survival = _Survival.of(known, cut)
            mean = survival.mean
            p50, p90, p95, p99 = (survival.quantile(q) for q in (0.5, 0.9, 0.95, 0.99))
        else:
            mean = float(known.mean())
            std = float(known.std(ddof=1)) if len(known) > 1 else None
            p50, p90, p95, p99 = np.percentile(known, [50, 90, 95, 99]).tolist()
        return cls(
            n=len(known) + len(cut),
            num_censored=len(cut),
            mean=mean,
            std=std,
            p50=p50,
            p90=p90,
            p95=p95,
            p99=p99,
            p50_ci95=_quantile_ci95(known, cut, 0.5),
            p99_ci95=_quantile_ci95(known, cut, 0.99),
        )


@dataclass(frozen=True, slots=True)
class _Survival:
    """The product-limit estimate: `shares` of the values are larger than each of `times`, which rise."""

    times: Floats
    shares: Floats
    last: float  # the largest time seen, censored or not

    @classmethod
    def of(cls, known: Floats, censored: Floats) -> Self:
        times, nums = np.unique(known, return_counts=True)
        everything = np.sort(np.concatenate((known, censored)))
        num_at_risk = len(everything) - np.searchsorted(everything, times, side="left")
        return cls(times, np.cumprod(1 - nums / num_at_risk, dtype=float), float(everything[-1]))

    def quantile(self, q: float) -> float | None:
        """Return the first time that no more than 1 - `q` of the values exceed."""
        reached = np.flatnonzero(self.shares <= 1 - q + 1e-12)
        return float(self.times[reached[0]]) if len(reached) else None

    @property
    def mean(self) -> float:
        """The area under the curve up to the largest time seen."""
        edges = np.concatenate(([0.0], self.times, [self.last]))
        return float(np.diff(edges) @ np.concatenate(([1.0], self.shares)))


def _quantile_ci95(known: Floats, censored: Floats, q: float) -> HalfOpen | None:
    """Return an interval whose ends hold wherever the censored values lie beyond what was waited for."""
    least = quantile_ci95(np.concatenate((known, censored)), q)
    most = quantile_ci95(np.concatenate((known, np.full(len(censored), math.inf))), q)
    low, high = least[0] if least else None, most[1] if most else None
    return None if low is None and high is None else (low, high)
