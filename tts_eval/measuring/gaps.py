"""Gaps between tokens, kept as counts in buckets so that those of a whole run can be put together.

Buckets grow by 2%, so that a percentile is right within 1% (DDSketch: Masson et al., VLDB 2019, section
2.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from tts_eval.statistics.spread import Spread

GROWTH = 1.02
SMALLEST_S = 1e-6  # what is shorter counts as this

GapCounts = tuple[tuple[int, int], ...]  # (bucket, how many gaps), in the order of the buckets


def gap_counts(token_times_s: Sequence[float]) -> GapCounts:
    """Return the gaps between tokens that came at `token_times_s`.

    Tokens of one engine step share the gap before it evenly: with speculation several come at once.
    """
    times_s = np.asarray(token_times_s, float)
    ends = np.flatnonzero(np.diff(times_s, append=np.inf))  # the last token of each step
    num_tokens = np.diff(ends)
    gaps_s = np.diff(times_s[ends]) / num_tokens
    buckets = np.ceil(np.log(np.maximum(gaps_s, SMALLEST_S) / SMALLEST_S) / np.log(GROWTH)).astype(int)
    counts = np.bincount(buckets, weights=num_tokens)
    filled = np.flatnonzero(counts)
    return tuple(zip(filled.tolist(), counts[filled].astype(int).tolist(), strict=True))


def gap_spread(counts: Iterable[GapCounts]) -> Spread | None:
    """Return how the gaps of all `counts` together spread, within 1%; None without gaps.

    Without intervals: gaps of one engine step are one observation, however many calls share it.
    """
    total: Counter[int] = Counter()
    for some in counts:
        for bucket, num in some:
            total[bucket] += num
    if not total:
        return None
    buckets, nums = (np.asarray(column) for column in zip(*sorted(total.items()), strict=True))
    gaps_s = SMALLEST_S * 2 * GROWTH**buckets / (1 + GROWTH)
    ranks = np.cumsum(nums)
    mean = float(np.average(gaps_s, weights=nums))
    p50, p90, p95, p99 = (
        float(gaps_s[np.searchsorted(ranks, q * ranks[-1])]) for q in (0.5, 0.9, 0.95, 0.99)
    )
    return Spread(
        n=int(ranks[-1]),
        num_censored=0,
        mean=mean,
        std=float(np.sqrt(np.average((gaps_s - mean) ** 2, weights=nums))),
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
    )
