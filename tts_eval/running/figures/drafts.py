"""Drafted tokens of the calls for which the engine did not tell them.

vLLM tells of a request's drafts when it ends the request itself; one that was ended from outside, by a stop
string or an abort, has none told (before 0.32 no request has). Its counters have them all. Knows no FLOPs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tts_eval.spend import Call


def with_drafts(calls: Sequence[Call], counted: Mapping[str, int]) -> Sequence[Call]:
    """Return the calls, the policy's each with its drafted and accepted tokens.

    Estimate: what the counters of the policy's engine have (`counted`: generated, drafted, accepted tokens)
    beyond the calls that were told of is shared out by generated tokens. Where nothing was drafted, or the
    engine has no counters, the calls are returned as they are.
    """
    told = [call for call in calls if call.role == "policy" and call.num_draft_tokens is not None]
    left = {
        name: counted[name] - sum(getattr(call, name) or 0 for call in told)
        for name in ("num_generated_tokens", "num_draft_tokens", "num_accepted_tokens")
    }
    if counted["num_draft_tokens"] == 0 or left["num_generated_tokens"] <= 0:
        return calls

    def share(name: str, call: Call) -> int:
        return max(0, round(left[name] * call.num_generated_tokens / left["num_generated_tokens"]))

    return [
        call
        if call.role != "policy" or call.num_draft_tokens is not None
        else replace(
            call,
            num_draft_tokens=share("num_draft_tokens", call),
            num_accepted_tokens=share("num_accepted_tokens", call),
        )
        for call in calls
    ]
