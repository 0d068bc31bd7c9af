"""The joules of a run, where the power of its GPUs was really read.

Knows no price. Energy is that of the GPUs alone, without host, cooling and power supplies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tts_eval.measuring.cost import per_unit
from tts_eval.measuring.energy import PowerReading, joules_between
from tts_eval.measuring.machine import MachineReading
from tts_eval.running.outcome import Outcome

Readings = Sequence[tuple[int, float, MachineReading]]  # session, when, what the machine showed


def energy_figures(
    outcomes: Sequence[Outcome],
    readings: Readings,
    *,
    idle_powers_w: Sequence[float | None],
    held_share: float = 1.0,
) -> dict[str, Any]:
    """Return energy from the first arrival to the last answer, and what idle GPUs would have used in it.

    Of a steady load it is shared with the fill: only `held_share` of it, `held_s` over `wall_s`, is theirs.
    `idle_powers_w` has an entry a session. All is None, and `power_valid` false, if power was not read
    throughout; a run on CPU has none.
    """
    joules, idle_joules = 0.0, 0.0
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
            return _figures(outcomes, None, None)
        joules += used
        idle_joules += idle_power_w * (end_s - start_s)
    joules, idle_joules = held_share * joules, held_share * idle_joules
    return _figures(outcomes, joules, idle_joules) if outcomes else _figures(outcomes, None, None)


def _figures(outcomes: Sequence[Outcome], joules: float | None, idle_joules: float | None) -> dict[str, Any]:
    counts = {
        "generated_token": sum(outcome.spend.num_generated_tokens for outcome in outcomes),
        "problem": len(outcomes),
        "correct": sum(outcome.is_correct for outcome in outcomes),
    }
    return {
        "power_valid": joules is not None,
        "joules_total": joules,
        "joules_idle": idle_joules,
        **{
            f"joules_per_{unit}": None if joules is None else _finite(per_unit(joules, count))
            for unit, count in counts.items()
        },
    }


def _finite(value: float) -> float | str:
    return "inf" if math.isinf(value) else value
