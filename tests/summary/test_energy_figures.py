"""Joules are told where the power was read throughout a run, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.summary.outcomes import call, outcome
from tts_eval.measuring.machine import MachineReading
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.schema import plain
from tts_eval.summary.energy_figures import Readings, energy_figures, session_joules

CALL = call("a", "policy", 1.0, 5.0, prompt=10, generated=50)
OUTCOMES = [outcome("a", [CALL], is_correct=True)]
# 100 W up to the second 3, then 300 W; the counter began at 7 kJ.
READINGS: Readings = [
    (0, float(at_s), MachineReading(gpu_power_w=100.0 if at_s < 3 else 300.0, gpu_joules=7000.0 + joules))
    for at_s, joules in ((0, 0), (1, 100), (2, 200), (3, 300), (4, 600), (5, 900), (6, 1200))
]


def figures(outcomes: Sequence[Outcome], readings: Readings, **settings: Any) -> Any:
    return plain(energy_figures(outcomes, session_joules(outcomes, readings, **settings)))


def test_the_drivers_counter_is_read_from_first_arrival_to_last_answer() -> None:
    found = figures(OUTCOMES, READINGS, idle_powers_w=[60.0])

    assert found == {
        "power_valid": True,
        "joules_total": pytest.approx(800.0),  # 200 + 600
        "joules_idle": pytest.approx(240.0),
        "joules_per_generated_token": pytest.approx(16.0),
        "joules_per_problem": pytest.approx(800.0),
        "joules_per_correct": pytest.approx(800.0),
    }


def test_without_a_counter_power_is_integrated() -> None:
    """100 W for a second, 100 → 300 W over the next, 300 W for two."""
    readings = [(s, at_s, replace(reading, gpu_joules=None)) for s, at_s, reading in READINGS]

    assert figures(OUTCOMES, readings, idle_powers_w=[60.0])["joules_total"] == pytest.approx(900.0)


def test_none_correct_took_infinitely_much() -> None:
    wrong = [outcome("a", [CALL], is_correct=False)]

    assert figures(wrong, READINGS, idle_powers_w=[60.0])["joules_per_correct"] == "inf"


@pytest.mark.parametrize(
    ("readings", "idle_power_w"),
    [
        ([(0, at_s, MachineReading()) for _, at_s, _ in READINGS], None),  # no GPU
        (READINGS, None),  # no idle baseline
        (READINGS[2:], 60.0),  # begun after the first arrival
        (READINGS[:5], 60.0),  # ended before the last answer
        ([*READINGS[:2], READINGS[5]], 60.0),  # a gap of four seconds
        ([*READINGS[:3], (0, 3.0, MachineReading()), *READINGS[4:]], 60.0),  # once not answered
    ],
)
def test_what_was_not_read_throughout_is_not_told(readings: Readings, idle_power_w: float | None) -> None:
    found = figures(OUTCOMES, readings, idle_powers_w=[idle_power_w])

    assert found.pop("power_valid") is False
    assert set(found.values()) == {None}


def test_sessions_add_up() -> None:
    again = outcome("b", [replace(CALL, problem_id="b")], is_correct=True, session=1)
    readings = [*READINGS, *((1, at_s, reading) for _, at_s, reading in READINGS)]
    found = figures([*OUTCOMES, again], readings, idle_powers_w=[60.0, 50.0])

    assert (found["joules_total"], found["joules_idle"]) == (pytest.approx(1600.0), pytest.approx(440.0))


def test_each_session_shares_its_own_joules_with_its_fill() -> None:
    """800 J in 4 s: of the first session's its problem held a quarter, of the second's all."""
    again = outcome("b", [replace(CALL, problem_id="b")], is_correct=True, session=1)
    readings = [*READINGS, *((1, at_s, reading) for _, at_s, reading in READINGS)]
    found = session_joules([*OUTCOMES, again], readings, idle_powers_w=[60.0, 50.0], held_s={0: 1.0, 1: 4.0})

    assert found is not None
    assert found[0] == pytest.approx((200.0, 60.0))
    assert found[1] == pytest.approx((800.0, 200.0))
