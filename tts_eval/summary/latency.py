"""How long problems took, from their arrival, and where that time went.

Whatever was stopped before it came counts as having taken longer than that: neither a deadline nor a failure
may make a latency look better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.rundir.outcome import Outcome
from tts_eval.spend import CriticalPath
from tts_eval.statistics.intervals import Interval, mean_ci95
from tts_eval.statistics.series import series_mean_ci95
from tts_eval.statistics.spread import Spread

FIRSTS = ("ttft_s", "ttfat_s", "queue_s")  # from the arrival to something that may never come
PACES = ("tpot_excl_first_s", "e2e_per_token_s", "idle_s", "barrier_wait_s", "grading_wait_s")
PARTS = CriticalPath.__slots__


def latency_figures(outcomes: Sequence[Outcome], *, is_open: bool) -> dict[str, Any]:
    """Return how each time, and each part of the critical path, spreads over problems.

    Under an open load a problem waits for those before it: the interval of the mean time to answer stands on
    batches of neighbours in arrival, and is None in a run too short for them.

    A problem that failed, or that its budget ended without an answer, has no time to answer: it is censored
    at what it took; so is a first token (a first answer token, a first place in the engine) that never came.
    Paces and parts of the path are those of the problems that did not fail. `failed` stands apart.
    """
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    solved = [outcome.spend for outcome in outcomes if outcome.error is None]
    answered = [outcome.spend.tta_s for outcome in outcomes if not _is_unanswered(outcome)]
    unanswered = [outcome.spend.tta_s for outcome in outcomes if _is_unanswered(outcome)]
    return {
        **{name: _first(outcomes, name) for name in FIRSTS},
        "tta_s": plain(Spread.of(answered, unanswered)),
        **{name: plain(Spread.of(getattr(spend, name) for spend in solved)) for name in PACES},
        "late_s": plain(Spread.of(outcome.spend.late_s for outcome in outcomes)),
        "tta_s_mean_ci95": None if unanswered else _mean_ci95(outcomes, is_open=is_open),
        "critical_path": {
            part: plain(Spread.of(getattr(spend.critical_path, part) for spend in solved)) for part in PARTS
        },
        "failed": {
            "num_problems": len(failed),
            "after_s": plain(Spread.of(outcome.spend.tta_s for outcome in failed)),
            "num_generated_tokens": sum(outcome.spend.num_generated_tokens for outcome in failed),
        },
    }


def _mean_ci95(outcomes: Sequence[Outcome], *, is_open: bool) -> Interval | None:
    if not is_open:
        return mean_ci95([outcome.spend.tta_s for outcome in outcomes])
    in_order = sorted((outcome.spend for outcome in outcomes), key=lambda spend: spend.arrived_s)
    return series_mean_ci95([spend.tta_s for spend in in_order])


def plain(spread: Spread | None) -> dict[str, Any] | None:
    """Return a spread as it stands in a summary."""
    return None if spread is None else asdict(spread)


def _first(outcomes: Sequence[Outcome], name: str) -> dict[str, Any] | None:
    known, censored = list[float | None](), list[float]()
    for outcome in outcomes:
        value = getattr(outcome.spend, name)
        if value is None and (_is_unanswered(outcome) or outcome.cut is not None):
            censored.append(outcome.spend.tta_s)
        else:
            known.append(value)
    return plain(Spread.of(known, censored))


def _is_unanswered(outcome: Outcome) -> bool:
    """Whether the problem was stopped, by its budget or a failure, with no answer standing."""
    is_stopped = outcome.error is not None or outcome.cut is not None
    return is_stopped and (outcome.attempt is None or outcome.attempt.answer is None)
