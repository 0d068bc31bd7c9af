"""Progress says what is known and keeps silent about the rest."""

from __future__ import annotations

import pytest

from tts_eval.tracking.progress import Progress


def test_half_way_the_pace_so_far_tells_the_rest() -> None:
    progress = Progress(8, 4, num_correct=3, num_failed=1, num_generated_tokens=600, elapsed_s=20.0, usd=0.5)

    assert progress.accuracy == 0.75
    assert progress.tokens_per_s == pytest.approx(30.0)
    assert progress.remaining_s == pytest.approx(20.0)


def test_before_the_first_problem_nothing_is_known() -> None:
    progress = Progress(8, 0, num_correct=0, num_failed=0, num_generated_tokens=0, elapsed_s=0.0, usd=None)

    assert (progress.accuracy, progress.tokens_per_s, progress.remaining_s) == (None, None, None)


def test_at_the_end_nothing_remains() -> None:
    progress = Progress(8, 8, num_correct=8, num_failed=0, num_generated_tokens=80, elapsed_s=4.0, usd=None)

    assert progress.remaining_s == 0.0
