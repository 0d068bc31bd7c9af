"""Drafts of calls that were told of and of those that were not: counted on paper."""

from __future__ import annotations

from tests.running.figures.outcomes import call
from tts_eval.running.figures.drafts import with_drafts

TOLD = call("a", "policy", 0.0, 1.0, prompt=10, generated=20, num_draft_tokens=30, num_accepted_tokens=10)
LONG = call("a", "policy", 0.0, 1.0, prompt=10, generated=30)
SHORT = call("b", "policy", 0.0, 1.0, prompt=10, generated=10)
VERIFIER = call("b", "verifier", 0.0, 1.0, prompt=10, generated=0)


def test_what_the_counters_have_left_is_shared_out_by_generated_tokens() -> None:
    """Of 110 drafted tokens 30 were told; 40 generated tokens share the other 80, three to one."""
    counted = {"num_generated_tokens": 60, "num_draft_tokens": 110, "num_accepted_tokens": 30}
    told, long, short, verifier = with_drafts([TOLD, LONG, SHORT, VERIFIER], counted)
    assert (told, verifier) == (TOLD, VERIFIER)
    assert (long.num_draft_tokens, long.num_accepted_tokens) == (60, 15)
    assert (short.num_draft_tokens, short.num_accepted_tokens) == (20, 5)


def test_calls_that_are_not_of_the_run_keep_their_share() -> None:
    """The counters saw 80 more generated tokens, of problems that were cut off: these drafted too."""
    counted = {"num_generated_tokens": 120, "num_draft_tokens": 240, "num_accepted_tokens": 120}
    [long] = with_drafts([LONG], counted)
    assert (long.num_draft_tokens, long.num_accepted_tokens) == (60, 30)


def test_without_drafts_nothing_is_changed() -> None:
    counted = {"num_generated_tokens": 40, "num_draft_tokens": 0, "num_accepted_tokens": 0}
    assert list(with_drafts([LONG, SHORT], counted)) == [LONG, SHORT]
