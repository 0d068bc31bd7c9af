"""How many processes grade, and vote."""

from __future__ import annotations

import pytest

from tts_eval.grading.settings import Grading


def test_votes_have_workers_of_their_own() -> None:
    final, votes = Grading(num_workers=2, num_vote_workers=3).pools()
    assert (final.num_workers, votes.num_workers) == (2, 3)


@pytest.mark.parametrize("name", ["num_workers", "num_vote_workers"])
@pytest.mark.parametrize("number", [0, -1, 1.5, "two"])
def test_a_number_of_workers_is_a_whole_one(name: str, number: object) -> None:
    with pytest.raises(ValueError, match=f"grading.{name}"):
        Grading(**{name: number})  # type: ignore[arg-type]
