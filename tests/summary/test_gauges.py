"""Drafts and their acceptance, from counters that began before the run did."""

from __future__ import annotations

import pytest

from tts_eval.requests import Gauges
from tts_eval.rundir.schema import plain
from tts_eval.summary.gauges import gauge_figures


def test_acceptance_is_that_of_the_run_alone() -> None:
    """20 drafts of 3 tokens: 16, 10 and 4 of them accepted at the first, second and third place."""
    before = Gauges(
        num_drafts=5, num_draft_tokens=15, num_accepted_tokens=15, num_accepted_tokens_at=(5, 5, 5)
    )
    after = Gauges(
        num_drafts=25, num_draft_tokens=75, num_accepted_tokens=45, num_accepted_tokens_at=(21, 15, 9)
    )
    found = plain(gauge_figures([(0, before), (0, after)]))

    assert found["mean_acceptance_length"] == pytest.approx(1 + 30 / 20)
    assert found["acceptance_rate"] == pytest.approx(30 / 60)
    assert found["acceptance_rate_at"] == [pytest.approx(0.8), pytest.approx(0.5), pytest.approx(0.2)]


def test_a_run_without_drafts_has_no_acceptance() -> None:
    found = plain(gauge_figures([(0, Gauges()), (0, Gauges(num_steps=7, num_waiting=3, num_running=2))]))

    assert found["mean_acceptance_length"] is found["acceptance_rate"] is found["acceptance_rate_at"] is None
    assert (found["num_steps"], found["num_waiting_peak"], found["num_running_peak"]) == (7, 3, 2)
