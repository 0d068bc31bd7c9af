"""How long problems took, from their arrival, and where that time went.

Whatever was stopped before it came counts as having taken longer than that: neither a deadline nor a failure
may make a latency look better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.topic import Topic
from tts_eval.spend import CriticalPath, Spend
from tts_eval.statistics.intervals import Interval, mean_ci95
from tts_eval.statistics.series import series_mean_ci95
from tts_eval.statistics.spread import Spread


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """The problems on which the strategy failed: after how long, and with how many tokens."""

    num_problems: int
    after_s: Spread | None
    num_generated_tokens: int


class Latency(Topic, frozen=True, kw_only=True):
    """How each time, and each part of the critical path, spreads over problems; None where it is not known.

    Under an open load a problem waits for those before it: the interval of the mean time to answer stands on
    batches of neighbours in arrival, and is None in a run too short for them.

    A problem that failed, or that its budget ended without an answer, has no time to answer: it is censored
    at what it took; so is a first token (a first answer token, a first place in the engine) that never came.
    Paces and parts of the path are those of the problems that did not fail. `failed` stands apart.
    """

    ttft_s: Spread | None
    ttfat_s: Spread | None
    queue_s: Spread | None
    tta_s: Spread | None
    tpot_excl_first_s: Spread | None
    e2e_per_token_s: Spread | None
    idle_s: Spread | None
    barrier_wait_s: Spread | None
    grading_wait_s: Spread | None
    late_s: Spread | None
    tta_s_mean_ci95: Interval | None
    critical_path: Mapping[str, Spread | None]
    failed: Failed


def latency_figures(outcomes: Sequence[Outcome], *, is_open: bool) -> Latency:
    """Return the times of `outcomes`."""
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    solved = [outcome.spend for outcome in outcomes if outcome.error is None]
    answered = [outcome.spend.tta_s for outcome in outcomes if not _is_unanswered(outcome)]
    unanswered = [outcome.spend.tta_s for outcome in outcomes if _is_unanswered(outcome)]
    return Latency(
        ttft_s=_first(outcomes, lambda spend: spend.ttft_s),
        ttfat_s=_first(outcomes, lambda spend: spend.ttfat_s),
        queue_s=_first(outcomes, lambda spend: spend.queue_s),
        tta_s=Spread.of(answered, unanswered),
        tpot_excl_first_s=Spread.of(spend.tpot_excl_first_s for spend in solved),
        e2e_per_token_s=Spread.of(spend.e2e_per_token_s for spend in solved),
        idle_s=Spread.of(spend.idle_s for spend in solved),
        barrier_wait_s=Spread.of(spend.barrier_wait_s for spend in solved),
        grading_wait_s=Spread.of(spend.grading_wait_s for spend in solved),
        late_s=Spread.of(outcome.spend.late_s for outcome in outcomes),
        tta_s_mean_ci95=None if unanswered else _mean_ci95(outcomes, is_open=is_open),
        critical_path={
            part: Spread.of(getattr(spend.critical_path, part) for spend in solved)
            for part in CriticalPath.__slots__
        },
        failed=Failed(
            num_problems=len(failed),
            after_s=Spread.of(outcome.spend.tta_s for outcome in failed),
            num_generated_tokens=sum(outcome.spend.num_generated_tokens for outcome in failed),
        ),
    )


def _mean_ci95(outcomes: Sequence[Outcome], *, is_open: bool) -> Interval | None:
    if not is_open:
        return mean_ci95([outcome.spend.tta_s for outcome in outcomes])
    in_order = sorted((outcome.spend for outcome in outcomes), key=lambda spend: spend.arrived_s)
    return series_mean_ci95([spend.tta_s for spend in in_order])


def _first(outcomes: Sequence[Outcome], time_s: Callable[[Spend], float | None]) -> Spread | None:
    """Return the spread of a time from the arrival to something that may never come."""
    known, censored = list[float | None](), list[float]()
    for outcome in outcomes:
        value = time_s(outcome.spend)
        if value is None and (_is_unanswered(outcome) or outcome.cut is not None):
            censored.append(outcome.spend.tta_s)
        else:
            known.append(value)
    return Spread.of(known, censored)


def _is_unanswered(outcome: Outcome) -> bool:
    """Whether the problem was stopped, by its budget or a failure, with no answer standing."""
    is_stopped = outcome.error is not None or outcome.cut is not None
    return is_stopped and (outcome.attempt is None or outcome.attempt.answer is None)
