"""How long an engine worked, and whose work it was; a call is a stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Stretch = tuple[float, float]  # start and end, in seconds


def busy_shares_s(calls: Sequence[Stretch], *, num_replicas: int = 1) -> list[float]:
    """Return each call's share of the seconds in which replicas of an engine had a call to run.

    At every moment the calls that run have equal shares, so that the shares of all calls add up to the busy
    time: the sum over steps of dt / batch of a continuously batching engine, seen from outside. Fewer calls
    than replicas (data parallelism) keep one replica each busy; where there are more, all are.
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
        grown_s = (later_s - earlier_s) * min(1.0, num_replicas / num_running) if num_running else 0.0
        share_s[later_s] = share_s[earlier_s] + grown_s
    return [share_s[end_s] - share_s[start_s] for start_s, end_s in calls]
