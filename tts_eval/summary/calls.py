"""How long single calls took, by the role of the model they went to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tts_eval.measuring import latency
from tts_eval.measuring.gaps import gap_spread
from tts_eval.records import Finish
from tts_eval.spend import Call
from tts_eval.statistics.spread import Spread

Time = Callable[[Call], float | None]


class CallTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How each time spreads over the calls of a role, and over all its gaps between tokens.

    A call that was stopped (finish abort) is censored in what it was still waiting for, and in its length.
    """

    num_calls: int
    num_aborted: int
    e2e_s: Spread | None
    ttft_s: Spread | None
    ttfat_s: Spread | None
    queue_s: Spread | None
    prefill_s: Spread | None
    decode_s: Spread | None
    tpot_excl_first_s: Spread | None
    e2e_per_token_s: Spread | None
    inter_token_s: Spread | None


def call_figures(calls: Sequence[Call]) -> dict[str, CallTimes]:
    """Return the times of each role's calls."""
    roles = sorted({call.role for call in calls})
    return {role: _of_role([call for call in calls if call.role == role]) for role in roles}


def _of_role(calls: Sequence[Call]) -> CallTimes:
    ended = [call for call in calls if call.finish is not Finish.ABORT]
    stopped = [call for call in calls if call.finish is Finish.ABORT]
    return CallTimes(
        num_calls=len(calls),
        num_aborted=len(stopped),
        e2e_s=Spread.of(map(latency.e2e_s, ended), map(latency.e2e_s, stopped)),
        ttft_s=_waited(calls, latency.ttft_s),
        ttfat_s=_waited(calls, latency.ttfat_s),
        queue_s=_waited(calls, lambda call: call.queue_s),
        prefill_s=_measured(calls, lambda call: call.prefill_s),
        decode_s=Spread.of(
            [call.decode_s for call in ended],
            [call.decode_s for call in stopped if call.decode_s is not None],
        ),
        tpot_excl_first_s=_measured(calls, latency.tpot_excl_first_s),
        e2e_per_token_s=_measured(calls, latency.e2e_per_token_s),
        inter_token_s=gap_spread(call.gap_counts for call in calls if call.gap_counts is not None),
    )


def _waited(calls: Sequence[Call], time_s: Time) -> Spread | None:
    """Return the spread of a time from submission: a stopped call waited for as long as it was in flight."""
    is_waiting = [_lacks(call, time_s(call)) for call in calls]
    return Spread.of(
        [time_s(call) for call, waits in zip(calls, is_waiting, strict=True) if not waits],
        [latency.e2e_s(call) for call, waits in zip(calls, is_waiting, strict=True) if waits],
    )


def _measured(calls: Sequence[Call], time_s: Time) -> Spread | None:
    return Spread.of(value for call in calls if not _lacks(call, value := time_s(call)))


def _lacks(call: Call, value: float | None) -> bool:
    """Whether a call was stopped before `value` was there to be measured."""
    return value is None and call.finish is Finish.ABORT
