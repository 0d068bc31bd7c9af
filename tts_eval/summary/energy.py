"""Joules over a stretch of time, from readings of power: where it was read throughout, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MAX_GAP_S = 2.0  # a longer one between two readings leaves too much unseen


@dataclass(frozen=True, slots=True)
class PowerReading:
    """Power at one moment, and the driver's energy counter where it keeps one."""

    at_s: float
    power_w: float | None
    joules: float | None = None


def joules_between(readings: Sequence[PowerReading], *, start_s: float, end_s: float) -> float | None:
    """Return the energy from `start_s` to `end_s`; None if power was not read throughout.

    The counter's rise, read at its two ends by linear interpolation, where every reading has it; else the
    integral of power by the trapezoid rule.
    """
    if not readings or readings[0].at_s > start_s or readings[-1].at_s < end_s:
        return None
    if any(later.at_s - earlier.at_s > MAX_GAP_S for earlier, later in pairwise(readings)):
        return None
    counted = [(reading.at_s, reading.joules) for reading in readings if reading.joules is not None]
    if len(counted) == len(readings):
        return _at(counted, end_s) - _at(counted, start_s)
    powers = [(reading.at_s, reading.power_w) for reading in readings if reading.power_w is not None]
    return _integral(powers, start_s, end_s) if len(powers) == len(readings) else None


def _at(series: Sequence[tuple[float, float]], moment_s: float) -> float:
    """Return the value at `moment_s`, on the line between the two readings around it."""
    for (earlier_s, earlier), (later_s, later) in pairwise(series):
        if earlier_s <= moment_s <= later_s and later_s > earlier_s:
            return earlier + (later - earlier) * (moment_s - earlier_s) / (later_s - earlier_s)
    return series[-1][1]


def _integral(series: Sequence[tuple[float, float]], start_s: float, end_s: float) -> float:
    inside = [(at_s, power_w) for at_s, power_w in series if start_s < at_s < end_s]
    points = [(start_s, _at(series, start_s)), *inside, (end_s, _at(series, end_s))]
    return sum((b_s - a_s) * (a_w + b_w) / 2 for (a_s, a_w), (b_s, b_w) in pairwise(points))
