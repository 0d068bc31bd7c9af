"""How steady the load was, and for how long the GPUs count as held by the measured problems.

A run of a steady load is a window cut out of one that never ends: what is in flight at its two ends is shared
with problems outside of it, so that the wall is not what its problems held the GPUs for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tts_eval.rundir.outcome import Fill, Outcome
from tts_eval.spend import Call
from tts_eval.summary.throughput import wall_seconds

Flight = tuple[float, float]  # arrival and answer, in seconds on the clock of a session
Seconds = TypeVar("Seconds")  # a value a problem: a list, a column of a frame


def by_session(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """Return the problems of each session, which has a clock of its own, in the order of their arrivals."""
    sessions: dict[int, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda outcome: outcome.spend.arrived_s):
        sessions.setdefault(outcome.session, []).append(outcome)
    return list(sessions.values())


def longest_session(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the problems of the session with the most of them."""
    return max(by_session(outcomes), key=len, default=[])


def held_by_session(
    outcomes: Sequence[Outcome], load: Mapping[str, Any], *, is_saturated: bool | None
) -> dict[int, float]:
    """Return for how long each session held the GPUs for its problems; `load` is the manifest's.

    A closed loop of k: the sum of the times in the system over k (Little, Operations Research 9, 1961): a
    problem shares the GPUs with the k - 1 in flight beside it, fill among them. An open steady load: N
    arrivals have N - 1 gaps, so the time from the first to the last is N / (N - 1) times too short. A load
    that is not steady, or that the engine fell behind, has no steady state: then all of the wall.
    """
    sessions = {session[0].session: session for session in by_session(outcomes)}
    if load["in_flight"] is not None:
        k = int(load["in_flight"])
        return {
            number: sum(outcome.spend.tta_s for outcome in solved) / k for number, solved in sessions.items()
        }
    num_gaps = len(outcomes) - len(sessions)
    if not load["is_steady"] or is_saturated or not num_gaps:
        return {number: wall_seconds(solved) for number, solved in sessions.items()}
    arriving_s = sum(solved[-1].spend.arrived_s - solved[0].spend.arrived_s for solved in sessions.values())
    return {number: arriving_s * len(solved) / num_gaps for number, solved in sessions.items()}


def held_weights(load: Mapping[str, Any], *, tta_s: Seconds, calls_s: Seconds) -> Seconds:
    """Return by which seconds of the problems dollars and joules are shared out over them.

    In a closed loop by the time in flight, which is exact: k problems share the GPUs at any moment. Otherwise
    by the seconds that all calls of a problem took.
    """
    return calls_s if load["in_flight"] is None else tta_s


def steady_figures(
    outcomes: Sequence[Outcome],
    fills: Sequence[Fill],
    fill_calls: Sequence[Call],
    *,
    wall_s: float,
    held_s: float,
) -> dict[str, Any]:
    """Return the seconds that dollars and rates stand on, how even the load was, and what kept it up.

    `mean_in_flight` is the mean over `wall_s` of the problems in flight, fill included; `arrivals_per_s` the
    realised rate of the measured arrivals, their gaps over the time from the first to the last; `drain_share`
    the share of the wall after the last of them, in which without fill ever fewer would be in flight.
    """
    in_flight_s, drain_s, arriving_s, num_gaps = 0.0, 0.0, 0.0, 0
    for session in by_session(outcomes):
        flights = [(outcome.spend.arrived_s, outcome.spend.finished_s) for outcome in session]
        began_s, last_arrival_s = flights[0][0], flights[-1][0]
        ended_s = max(finished_s for _, finished_s in flights)
        drain_s += ended_s - last_arrival_s
        arriving_s += last_arrival_s - began_s
        num_gaps += len(session) - 1
        flights += [(f.arrived_s, f.finished_s) for f in fills if f.session == session[0].session]
        in_flight_s += sum(_overlap_s(flight, (began_s, ended_s)) for flight in flights)
    return {
        "held_s": held_s,
        "mean_in_flight": in_flight_s / wall_s if wall_s else None,
        "arrivals_per_s": num_gaps / arriving_s if arriving_s else None,
        "drain_share": drain_s / wall_s if wall_s else None,
        "fill": {
            "num_problems": len(fills),
            "num_stopped": sum(fill.is_stopped for fill in fills),
            "num_calls": len(fill_calls),
            "num_generated_tokens": sum(call.num_generated_tokens for call in fill_calls),
        },
    }


def _overlap_s(flight: Flight, window: Flight) -> float:
    return max(0.0, min(flight[1], window[1]) - max(flight[0], window[0]))
