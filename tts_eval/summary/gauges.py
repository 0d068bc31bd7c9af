"""What the engine's gauges showed over a run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from tts_eval.requests import Gauges
from tts_eval.rundir.topic import Topic

RISING = (
    "num_generated_tokens",
    "num_preemptions",
    "num_prefix_queried_tokens",
    "num_prefix_hit_tokens",
    "num_drafts",
    "num_draft_tokens",
    "num_accepted_tokens",
    "num_steps",
)


def rises_of(readings: Sequence[tuple[int, Gauges]]) -> dict[str, int]:
    """Add up, over the sessions, what each counter rose by; a session starts with a reading of its own."""
    return {name: sum(rises_by_session(readings, name).values()) for name in RISING}


def rises_by_session(readings: Sequence[tuple[int, Gauges]], name: str) -> dict[int, int]:
    """Return what the counter rose by in each session, by its number."""
    return {
        session: getattr(series[-1], name) - getattr(series[0], name)
        for session, series in _by_session(readings).items()
    }


class GaugeFigures(Topic, frozen=True, kw_only=True):
    """Peaks, and what the counters tell of caches, steps and drafts."""

    engine_generated_tokens: int
    kv_cache_usage_peak: float | None
    num_running_peak: int | None
    num_waiting_peak: int | None
    num_steps: int
    num_preemptions: int
    prefix_cache_hit_rate: float | None
    mean_acceptance_length: float | None
    acceptance_rate: float | None
    acceptance_rate_at: Sequence[float] | None


def gauge_figures(readings: Sequence[tuple[int, Gauges]]) -> GaugeFigures:
    """Return what the engine's `readings`, each with its session, come to."""
    rises = rises_of(readings)
    accepted_at: list[int] = []
    for series in _by_session(readings).values():
        accepted_at = _added(accepted_at, series[-1].num_accepted_tokens_at, sign=1)
        accepted_at = _added(accepted_at, series[0].num_accepted_tokens_at, sign=-1)
    queried, drafts, drafted = (
        rises[name] for name in ("num_prefix_queried_tokens", "num_drafts", "num_draft_tokens")
    )
    return GaugeFigures(
        engine_generated_tokens=rises["num_generated_tokens"],
        kv_cache_usage_peak=max((gauges.kv_cache_usage_peak for _, gauges in readings), default=None),
        num_running_peak=max((gauges.num_running for _, gauges in readings), default=None),
        num_waiting_peak=max((gauges.num_waiting for _, gauges in readings), default=None),
        num_steps=rises["num_steps"],
        num_preemptions=rises["num_preemptions"],
        prefix_cache_hit_rate=rises["num_prefix_hit_tokens"] / queried if queried else None,
        mean_acceptance_length=1 + rises["num_accepted_tokens"] / drafts if drafts else None,
        acceptance_rate=rises["num_accepted_tokens"] / drafted if drafted else None,
        acceptance_rate_at=[accepted / drafts for accepted in accepted_at] if drafts else None,
    )


def _by_session(readings: Sequence[tuple[int, Gauges]]) -> dict[int, list[Gauges]]:
    by_session: dict[int, list[Gauges]] = {}
    for session, gauges in readings:
        by_session.setdefault(session, []).append(gauges)
    return by_session


def _added(counts: Sequence[int], further: Sequence[int], *, sign: int) -> list[int]:
    """Return the sums place by place; what is missing at the end of the shorter one is 0."""
    pairs = zip_longest(counts, further, fillvalue=0)
    return [count + sign * more for count, more in pairs]
