"""One attempt within its budget: at the limit it is stopped, and its best interim answer counts.

Knows no strategy, no engine and no file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from tts_eval.budget import BudgetSpent, Cut
from tts_eval.measuring.allowance import Allowance
from tts_eval.measuring.meter import Meter
from tts_eval.records import Attempt


async def attempt_within(
    allowance: Allowance, solving: Coroutine[Any, Any, Attempt], meter: Meter
) -> Attempt:
    """Return what `solving` makes of its problem, or what stood when the budget ended it.

    `allowance.cut` tells which; calls that run at that moment are stopped and booked before this returns.
    """
    if not allowance.budget.is_limited:
        return await solving
    task = asyncio.ensure_future(solving)
    used_up = asyncio.ensure_future(allowance.used_up())
    try:
        deadline_s = allowance.budget.deadline_s  # counts from the arrival, be that some way back
        left_s = None if deadline_s is None else max(0.0, deadline_s - meter.late_s)
        await asyncio.wait({task, used_up}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            allowance.end(Cut.DEADLINE)  # unless the tokens were spent before
    finally:
        used_up.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if not task.cancelled():
        failure = task.exception()
        if failure is None:
            return task.result()
        if not is_caused_by(failure, BudgetSpent):
            raise failure
    standing = meter.interims[-1].answer if meter.interims else None
    return Attempt(standing, tuple(meter.candidates))


def is_caused_by(failure: BaseException, kind: type[Exception]) -> bool:
    """Whether `failure` is of this kind, or a group with one of it."""
    if isinstance(failure, BaseExceptionGroup):
        return failure.subgroup(kind) is not None
    return isinstance(failure, kind)
