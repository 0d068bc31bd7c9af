"""Starvation shows: the longest wait, and how unevenly problems were served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.summary.outcomes import call, outcome
from tts_eval.rundir.schema import plain
from tts_eval.spend import Call
from tts_eval.summary.fairness import fairness_figures


def test_equal_paces_are_fair_and_one_starved_problem_shows() -> None:
    even = [
        call("a", "policy", 0.0, 2.0, prompt=1, generated=20),
        call("b", "policy", 0.0, 4.0, prompt=1, generated=40),
    ]
    starved = [*even[:1], call("b", "policy", 0.0, 40.0, prompt=1, generated=40, queue_s=30.0, requeue_s=6.0)]

    def figures(calls: Sequence[Call]) -> Any:
        return plain(fairness_figures([outcome(name, calls, is_correct=True) for name in "ab"], calls))

    assert figures(even)["fairness_jain"] == pytest.approx(1.0)
    found = figures(starved)  # paces of 10 and 1 tokens a second
    assert found["fairness_jain"] == pytest.approx(11**2 / (2 * 101))
    assert found["engine_wait_s"]["max"] == 36.0
    assert found["engine_wait_s"]["mean"] == 18.0
    assert found["tta_max_s"] == 40.0
