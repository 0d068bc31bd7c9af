"""How long an engine worked, and whose work it was.

Knows no price and no engine: a call is a stretch of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Stretch = tuple[float, float]  # start and end, in seconds


def busy_shares_s(calls: Sequence[Stretch]) -> list[float]:
    """Return each call's share of the seconds in which any call ran.

    At every moment the calls that run have equal shares, so that the shares of all calls add up to the busy
    time: the sum over steps of dt / batch of a continuously batching engine, seen from outside.
    """
    change: dict[float, int] = {}
    for start_s, end_s in calls:
        change[start_s] = change.get(start_s, 0) + 1
        change[end_s] = change.get(end_s, 0) - 1
    moments = sorted(change)
    share_s = dict.fromkeys(moments[:1], 0.0)  # of one call that had run since the first moment
    num_running = 0
    for earlier_s, later_s in pairwise(moments):
        num_running += change[earlier_s]
        grown_s = (later_s - earlier_s) / num_running if num_running else 0.0
        share_s[later_s] = share_s[earlier_s] + grown_s
    return [share_s[end_s] - share_s[start_s] for start_s, end_s in calls]
