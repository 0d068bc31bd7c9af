"""The joules of a run, where the power of its GPUs was really read.

Energy is that of the GPUs alone, without host, cooling and power supplies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tts_eval.measuring.machine import MachineReading
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.topic import Topic
from tts_eval.summary.answers import OfAnswers
from tts_eval.summary.cost import per_unit
from tts_eval.summary.energy import PowerReading, joules_between

Readings = Sequence[tuple[int, float, MachineReading]]  # session, when, what the machine showed


class Joules(NamedTuple):
    """What the GPUs used, and what they had used idle in the same time."""

    used: float
    idle: float


def session_joules(
    outcomes: Sequence[Outcome],
    readings: Readings,
    *,
    idle_powers_w: Sequence[float | None],
    held_s: Mapping[int, float] | None = None,
) -> dict[int, Joules] | None:
    """Return each session's energy from its first arrival to its last answer, by its number.

    Of a steady load it is shared with the fill: of the wall only `held_s`, by session, is its problems'.
    `idle_powers_w` has an entry a session. None if power was not read throughout; a run on CPU has none.
    """
    joules: dict[int, Joules] = {}
    for session in sorted({outcome.session for outcome in outcomes}):
        spends = [outcome.spend for outcome in outcomes if outcome.session == session]
        start_s, end_s = min(s.arrived_s for s in spends), max(s.finished_s for s in spends)
        series = [
            PowerReading(at_s, reading.gpu_power_w, reading.gpu_joules)
            for of_session, at_s, reading in readings
            if of_session == session
        ]
        used, idle_power_w = joules_between(series, start_s=start_s, end_s=end_s), idle_powers_w[session]
        if used is None or idle_power_w is None:
            return None
        wall_s = end_s - start_s
        share = held_s[session] / wall_s if held_s is not None and wall_s else 1.0
        joules[session] = Joules(share * used, share * idle_power_w * wall_s)
    return joules or None


class Energy(Topic, frozen=True, kw_only=True):
    """The joules of all sessions, and these per token, problem and correct answer.

    All is None, and `power_valid` false, where they are not known of every session.
    """

    power_valid: bool
    joules_total: float | None = None
    joules_idle: float | None = None
    joules_per_generated_token: float | None = None
    joules_per_problem: float | None = None
    joules_per_correct: OfAnswers[float] = None


def energy_figures(outcomes: Sequence[Outcome], by_session: Mapping[int, Joules] | None) -> Energy:
    """Return what the joules of each session come to."""
    if by_session is None:
        return Energy(power_valid=False)
    joules = sum(session.used for session in by_session.values())
    return Energy(
        power_valid=True,
        joules_total=joules,
        joules_idle=sum(session.idle for session in by_session.values()),
        joules_per_generated_token=per_unit(joules, sum(o.spend.num_generated_tokens for o in outcomes)),
        joules_per_problem=per_unit(joules, len(outcomes)),
        joules_per_correct=per_unit(joules, sum(outcome.is_correct for outcome in outcomes)),
    )
