"""What each server of a run did, and what went wrong on the way: attempts that failed are in no latency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from tts_eval.spend import Call


class ServerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one server answered, and how many attempts failed there."""

    num_calls: int
    generated_tokens: int
    prompt_tokens: int
    cached_tokens: int
    num_failed_attempts: int


class Servers(msgspec.Struct, frozen=True, kw_only=True):
    """The servers by base URL; failed attempts, the time and tokens that they lost, and why they failed."""

    by_url: Mapping[str, ServerFigures]
    num_failed_attempts: int
    failed_s: float
    lost_tokens: int
    reasons: Mapping[str, int]


def server_figures(calls: Sequence[Call]) -> Servers | None:
    """Return calls, tokens and failed attempts by base URL; None where no server was asked."""
    urls = sorted({call.url for call in calls if call.url} | {each.url for c in calls for each in c.failed})
    if not urls:
        return None
    failed = [attempt for call in calls for attempt in call.failed]
    return Servers(
        by_url={url: _of_url(url, calls) for url in urls},
        num_failed_attempts=len(failed),
        failed_s=sum(call.failed_s for call in calls),
        lost_tokens=sum(attempt.num_tokens for attempt in failed),
        reasons=dict(Counter(attempt.reason for attempt in failed).most_common()),
    )


def _of_url(url: str, calls: Sequence[Call]) -> ServerFigures:
    mine = [call for call in calls if call.url == url]
    failed = [attempt for call in calls for attempt in call.failed if attempt.url == url]
    return ServerFigures(
        num_calls=len(mine),
        generated_tokens=sum(call.num_generated_tokens for call in mine),
        prompt_tokens=sum(call.num_prompt_tokens for call in mine),
        cached_tokens=sum(call.num_cached_tokens for call in mine),
        num_failed_attempts=len(failed),
    )
