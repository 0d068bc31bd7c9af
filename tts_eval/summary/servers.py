"""What each server of a run did, and what went wrong on the way: attempts that failed are in no latency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tts_eval.spend import Call


def server_figures(calls: Sequence[Call]) -> dict[str, Any]:
    """Return calls, tokens and failed attempts by base URL; None where no server was asked."""
    urls = sorted({call.url for call in calls if call.url} | {each.url for c in calls for each in c.failed})
    if not urls:
        return {"servers": None}
    failed = [attempt for call in calls for attempt in call.failed]
    return {
        "servers": {
            "by_url": {url: _of_url(url, calls) for url in urls},
            "num_failed_attempts": len(failed),
            "failed_s": sum(call.failed_s for call in calls),
            "lost_tokens": sum(attempt.num_tokens for attempt in failed),
            "reasons": dict(Counter(attempt.reason for attempt in failed).most_common()),
        }
    }


def _of_url(url: str, calls: Sequence[Call]) -> dict[str, Any]:
    mine = [call for call in calls if call.url == url]
    failed = [attempt for call in calls for attempt in call.failed if attempt.url == url]
    return {
        "num_calls": len(mine),
        "generated_tokens": sum(call.num_generated_tokens for call in mine),
        "prompt_tokens": sum(call.num_prompt_tokens for call in mine),
        "cached_tokens": sum(call.num_cached_tokens for call in mine),
        "num_failed_attempts": len(failed),
    }
