"""How much was done per second, for all GPUs, for one of them, and for one user."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from tts_eval.rundir.manifest import LoadFacts
from tts_eval.rundir.outcome import Fill, Outcome
from tts_eval.rundir.topic import Topic
from tts_eval.spend import Call
from tts_eval.statistics.rank_sum import rank_sum_z


def wall_seconds(outcomes: Sequence[Outcome]) -> float:
    """Add up, over the sessions, the time from the first arrival to the last answer."""
    total_s = 0.0
    for session in {outcome.session for outcome in outcomes}:
        spends = [outcome.spend for outcome in outcomes if outcome.session == session]
        total_s += max(s.finished_s for s in spends) - min(s.arrived_s for s in spends)
    return total_s


class Throughput(Topic, frozen=True, kw_only=True):
    """Problems and tokens a second, None where no time passed.

    Input tokens are the prompts of all roles, cached tokens included. A user is a problem in flight.
    """

    problems_per_s: float | None
    generated_tokens_per_s: float | None
    input_tokens_per_s: float | None
    total_tokens_per_s: float | None
    generated_tokens_per_s_per_gpu: float | None
    generated_tokens_per_s_per_user: float | None


def throughput_figures(
    outcomes: Sequence[Outcome], held_s: float, *, gpu_s: float, mean_in_flight: float | None
) -> Throughput:
    """Return what was done per second held, `held_s` (see `held_by_session`) or `gpu_s`."""
    num_generated = sum(outcome.spend.num_generated_tokens for outcome in outcomes)
    num_input = sum(outcome.spend.num_prompt_tokens for outcome in outcomes)

    def per_s(amount: float) -> float | None:
        return amount / held_s if held_s else None

    return Throughput(
        problems_per_s=per_s(len(outcomes)),
        generated_tokens_per_s=per_s(num_generated),
        input_tokens_per_s=per_s(num_input),
        total_tokens_per_s=per_s(num_generated + num_input),
        generated_tokens_per_s_per_gpu=num_generated / gpu_s if gpu_s else None,
        generated_tokens_per_s_per_user=per_s(num_generated / mean_in_flight) if mean_in_flight else None,
    )


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
    outcomes: Sequence[Outcome], load: LoadFacts, *, is_saturated: bool | None
) -> dict[int, float]:
    """Return for how long each session held the GPUs for its problems; `load` is the manifest's.

    A closed loop of k: the sum of the times in the system over k (Little, Operations Research 9, 1961): a
    problem shares the GPUs with the k - 1 in flight beside it, fill among them. An open steady load: N
    arrivals have N - 1 gaps, so the time from the first to the last is N / (N - 1) times too short. A load
    that is not steady, or that the engine fell behind, has no steady state: then all of the wall.
    """
    sessions = {session[0].session: session for session in by_session(outcomes)}
    if load.in_flight is not None:
        k = int(load.in_flight)
        return {
            number: sum(outcome.spend.tta_s for outcome in solved) / k for number, solved in sessions.items()
        }
    num_gaps = len(outcomes) - len(sessions)
    if not load.is_steady or is_saturated or not num_gaps:
        return {number: wall_seconds(solved) for number, solved in sessions.items()}
    arriving_s = sum(solved[-1].spend.arrived_s - solved[0].spend.arrived_s for solved in sessions.values())
    return {number: arriving_s * len(solved) / num_gaps for number, solved in sessions.items()}


def held_weights(load: LoadFacts, *, tta_s: Seconds, calls_s: Seconds) -> Seconds:
    """Return by which seconds of the problems dollars and joules are shared out over them.

    In a closed loop by the time in flight, which is exact: k problems share the GPUs at any moment. Otherwise
    by the seconds that all calls of a problem took.
    """
    return calls_s if load.in_flight is None else tta_s


class FillFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What kept the load up beside the measured problems."""

    num_problems: int
    num_stopped: int
    num_calls: int
    num_generated_tokens: int


class Steadiness(Topic, frozen=True, kw_only=True):
    """The seconds that dollars and rates stand on, how even the load was, and what kept it up.

    `mean_in_flight` is the mean over the wall of the problems in flight, fill included; `arrivals_per_s` the
    realised rate of the measured arrivals, their gaps over the time from the first to the last; `drain_share`
    the share of the wall after the last of them, in which without fill ever fewer would be in flight.
    """

    held_s: float
    mean_in_flight: float | None
    arrivals_per_s: float | None
    drain_share: float | None
    fill: FillFigures


def steady_figures(
    outcomes: Sequence[Outcome],
    fills: Sequence[Fill],
    fill_calls: Sequence[Call],
    *,
    wall_s: float,
    held_s: float,
) -> Steadiness:
    """Return how even the load was over the `wall_s` seconds of all sessions, `held_s` of them charged."""
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
    return Steadiness(
        held_s=held_s,
        mean_in_flight=in_flight_s / wall_s if wall_s else None,
        arrivals_per_s=num_gaps / arriving_s if arriving_s else None,
        drain_share=drain_s / wall_s if wall_s else None,
        fill=FillFigures(
            num_problems=len(fills),
            num_stopped=sum(fill.is_stopped for fill in fills),
            num_calls=len(fill_calls),
            num_generated_tokens=sum(call.num_generated_tokens for call in fill_calls),
        ),
    )


def _overlap_s(flight: Flight, window: Flight) -> float:
    return max(0.0, min(flight[1], window[1]) - max(flight[0], window[0]))


Z_ONE_PERCENT, Z_FIVE_PERCENT = 2.33, 1.645  # one-sided
SLIGHT_OVERLOAD = 1.1  # arrivals per answer that a run has to rule out to be called underloaded


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What came and was answered in the second half of the arrivals, in time (see `Saturation`)."""

    window_s: tuple[float, float]
    num_arrivals: int
    num_answers: int
    arrivals_per_s: float
    answers_per_s: float
    backlog_z: float
    underload_z: float
    tta_z: float


class Saturation(Topic, frozen=True, kw_only=True):
    """Whether answers fell behind arrivals, and the counts behind the verdict.

    Looked at is the second half of the arrivals, in time. `saturated` is true if fewer problems were
    answered in it than arrived (A - C > 2.33 sqrt(A + C), as for two Poisson counts) and those that
    arrived in it took longer than those before (rank sum, z > 2.33). It is false only where an overload of
    10% is ruled out: an engine that is always busy would answer A / 1.1 problems, with a variance of as
    many times the squared coefficient of variation of their tokens (a renewal process; at least Poisson's),
    and C exceeds that by 1.645 standard deviations, while problems took no longer (z < 1.645). In between
    the run was too short to tell: None, as for a closed loop, which cannot fall behind, and without any time
    between arrivals.
    """

    saturated: bool | None = None
    saturation: Backlog | None = None


def saturation_figures(outcomes: Sequence[Outcome], *, is_open: bool) -> Saturation:
    """Return the verdict on `outcomes`."""
    inside = longest_session(outcomes)
    arrivals_s = [outcome.spend.arrived_s for outcome in inside]
    begin_s, end_s = min(arrivals_s, default=0.0), max(arrivals_s, default=0.0)
    if not is_open or begin_s == end_s:
        return Saturation()
    middle_s = (begin_s + end_s) / 2
    later = [outcome.spend.tta_s for outcome in inside if outcome.spend.arrived_s > middle_s]
    earlier = [outcome.spend.tta_s for outcome in inside if outcome.spend.arrived_s <= middle_s]
    num_answers = sum(middle_s < outcome.spend.finished_s <= end_s for outcome in inside)
    backlog_z = (len(later) - num_answers) / math.sqrt(len(later) + num_answers)
    busy_answers = len(later) / SLIGHT_OVERLOAD
    underload_z = (num_answers - busy_answers) / math.sqrt(busy_answers * _dispersion(inside))
    tta_z = rank_sum_z(earlier, later)
    saturated = None
    if backlog_z > Z_ONE_PERCENT and tta_z > Z_ONE_PERCENT:
        saturated = True
    elif underload_z > Z_FIVE_PERCENT and tta_z < Z_FIVE_PERCENT:
        saturated = False
    return Saturation(
        saturated=saturated,
        saturation=Backlog(
            window_s=(middle_s, end_s),
            num_arrivals=len(later),
            num_answers=num_answers,
            arrivals_per_s=len(later) / (end_s - middle_s),
            answers_per_s=num_answers / (end_s - middle_s),
            backlog_z=backlog_z,
            underload_z=underload_z,
            tta_z=tta_z,
        ),
    )


def _dispersion(outcomes: Sequence[Outcome]) -> float:
    """Return the variance of the number of answers of a busy engine over its mean."""
    tokens = [outcome.spend.num_generated_tokens for outcome in outcomes]
    mean = statistics.fmean(tokens)
    return max(1.0, statistics.pvariance(tokens) / mean**2) if mean else 1.0
