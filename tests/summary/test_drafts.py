"""Drafts of calls that were told of and of those that were not: counted on paper."""

from __future__ import annotations

from dataclasses import replace

from tests.summary.outcomes import call
from tts_eval.summary.drafts import with_drafts

TOLD = call(
    "a",
    "policy",
    0.0,
    1.0,
    prompt=10,
    generated=20,
    num_drafts=10,
    num_draft_tokens=30,
    num_accepted_tokens=10,
)
LONG = call("a", "policy", 0.0, 1.0, prompt=10, generated=30)
SHORT = call("b", "policy", 0.0, 1.0, prompt=10, generated=10)
VERIFIER = call("b", "verifier", 0.0, 1.0, prompt=10, generated=0)


def counters(**counts: int) -> dict[str, int]:
    """Return the counters of an engine, 0 where none is given."""
    names = ("num_generated_tokens", "num_drafts", "num_draft_tokens", "num_accepted_tokens")
    return dict.fromkeys(names, 0) | counts


def test_what_the_counters_have_left_is_shared_out_by_generated_tokens() -> None:
    """Of 110 drafted tokens 30 were told; 40 generated tokens share the other 80, three to one."""
    counted = counters(num_generated_tokens=60, num_drafts=38, num_draft_tokens=110, num_accepted_tokens=30)
    told, long, short, verifier = with_drafts([TOLD, LONG, SHORT, VERIFIER], counted, roles=["policy"])
    assert (told, verifier) == (TOLD, VERIFIER)
    assert (long.num_drafts, short.num_drafts) == (21, 7)
    assert (long.num_draft_tokens, long.num_accepted_tokens) == (60, 15)
    assert (short.num_draft_tokens, short.num_accepted_tokens) == (20, 5)


def test_calls_that_are_not_of_the_run_keep_their_share() -> None:
    """The counters saw 91 more generated tokens. One LONG may have lost; the others, cut off, drafted too."""
    counted = counters(
        num_generated_tokens=121, num_drafts=240, num_draft_tokens=240, num_accepted_tokens=120
    )
    [long] = with_drafts([LONG], counted, roles=["policy"])
    assert (long.num_draft_tokens, long.num_accepted_tokens) == (60, 30)


def test_many_short_calls_are_not_rounded_up_one_by_one() -> None:
    """Three in four of forty calls of one token share thirty drafts: none has a draft and a third."""
    counted = counters(num_generated_tokens=40, num_drafts=30, num_draft_tokens=30, num_accepted_tokens=0)
    calls = [replace(SHORT, number=number, num_generated_tokens=1) for number in range(40)]
    shared = with_drafts(calls, counted, roles=["policy"])
    assert sum(call.num_drafts or 0 for call in shared) == 30
    assert {call.num_drafts for call in shared} == {0, 1}


def test_what_was_generated_after_a_stop_string_takes_no_drafts_away() -> None:
    """Two calls lost a token each: theirs are all the drafts there were."""
    counted = counters(num_generated_tokens=42, num_drafts=20, num_draft_tokens=20, num_accepted_tokens=8)
    shared = with_drafts([LONG, SHORT], counted, roles=["policy"])
    assert [call.num_drafts for call in shared] == [15, 5]
    assert sum(call.num_accepted_tokens or 0 for call in shared) == 8 - 2  # two were accepted in vain


def test_without_drafts_nothing_is_changed() -> None:
    counted = counters(num_generated_tokens=40)
    assert list(with_drafts([LONG, SHORT], counted, roles=["policy"])) == [LONG, SHORT]


def test_a_role_on_the_policys_engine_has_its_drafts_from_the_same_counters() -> None:
    """LONG and a role's call share 80 drafted tokens, three to one."""
    counted = counters(num_generated_tokens=40, num_drafts=20, num_draft_tokens=80, num_accepted_tokens=20)
    cheap = replace(SHORT, role="cheap")
    long, short, _ = with_drafts([LONG, cheap, VERIFIER], counted, roles=["policy", "cheap"])
    assert (long.num_draft_tokens, short.num_draft_tokens) == (60, 20)
