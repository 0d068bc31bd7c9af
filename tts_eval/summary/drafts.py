"""Drafts of the calls for which the engine did not report any.

vLLM reports a request's drafts when it ends the request itself; for one that was ended from outside, by a
stop string or an abort, it reports none (before 0.32 for no request). Its counters have them all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.manifest import Manifest
from tts_eval.spend import Call
from tts_eval.summary.gauges import rises_of

COUNTS = ("num_drafts", "num_draft_tokens", "num_accepted_tokens")


def with_drafts(
    calls: Sequence[Call], counted: Mapping[str, int], *, roles: Collection[str]
) -> Sequence[Call]:
    """Return the calls, those of `roles`, which share the policy's engine, each with its drafts.

    Estimate: what the counters of that engine have (`counted`: generated tokens, drafts, drafted and
    accepted tokens) beyond the calls with known drafts is shared out by generated tokens. Tokens that they
    have beyond those of all calls are of calls that were cut off, and keep their share, but for those that a
    call can have lost after its stop string: a draft's. Where nothing was drafted, or the engine has no
    counters, the calls are returned as they are.
    """
    mine = [call for call in calls if call.role in roles]
    unknown = [call for call in mine if call.num_drafts is None]
    left = {
        name: counted[name] - sum(getattr(call, name) or 0 for call in mine if call.num_drafts is not None)
        for name in ("num_generated_tokens", *COUNTS)
    }
    if counted["num_draft_tokens"] == 0 or left["num_generated_tokens"] <= 0:
        return calls
    most_lost = math.ceil(counted["num_draft_tokens"] / counted["num_drafts"]) * len(unknown)
    num_tokens = sum(call.num_generated_tokens for call in unknown)
    num_sharing = max(1, num_tokens, left["num_generated_tokens"] - most_lost)
    # What came after a stop string had been accepted, and is in no sample.
    left["num_accepted_tokens"] -= max(0, left["num_generated_tokens"] - num_sharing)
    # Rounded as running sums, so that many short calls together get what is theirs.
    sums = accumulate((call.num_generated_tokens for call in unknown), initial=0)

    def share(name: str, begin: int, end: int) -> int:
        return max(0, round(left[name] * end / num_sharing) - round(left[name] * begin / num_sharing))

    shared = iter(
        replace(
            call,
            num_drafts=share("num_drafts", begin, end),
            num_draft_tokens=share("num_draft_tokens", begin, end),
            num_accepted_tokens=share("num_accepted_tokens", begin, end),
        )
        for call, (begin, end) in zip(unknown, pairwise(sums), strict=True)
    )
    return [next(shared) if call.role in roles and call.num_drafts is None else call for call in calls]


def drafted_calls(
    directory: RunDirectory, sessions: Mapping[str, int], manifest: Manifest
) -> tuple[list[Call], list[Call]]:
    """Return the calls of the problems in `sessions`, and those of the fill beside them.

    The engine's counters, from which drafts that it did not report are worked out, have both.
    """
    calls, fill_calls = directory.calls_of(sessions), directory.calls(directory.fills())
    if manifest.drafting is None:
        return calls, fill_calls
    roles = manifest.sessions[-1].engine_roles[0]
    drafted = with_drafts([*calls, *fill_calls], rises_of(directory.gauges()), roles=roles)
    return list(drafted[: len(calls)]), list(drafted[len(calls) :])
