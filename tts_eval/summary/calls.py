"""How long single calls took, by the role of the model they went to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.measuring import latency
from tts_eval.measuring.gaps import gap_spread
from tts_eval.records import Finish
from tts_eval.spend import Call
from tts_eval.statistics.spread import Spread

Time = Callable[[Call], float | None]
WAITS: dict[str, Time] = {  # from submission: a call that was stopped waited for as long as it was in flight
    "e2e_s": latency.e2e_s,
    "ttft_s": latency.ttft_s,
    "ttfat_s": latency.ttfat_s,
    "queue_s": lambda call: call.queue_s,
}
PACES: dict[str, Time] = {
    "tpot_excl_first_s": latency.tpot_excl_first_s,
    "e2e_per_token_s": latency.e2e_per_token_s,
}


def call_figures(calls: Sequence[Call]) -> dict[str, Any]:
    """Return how each time spreads over the calls of a role, and over all its gaps between tokens.

    A call that was stopped (finish abort) is censored in what it was still waiting for, and in its length.
    """
    roles = sorted({call.role for call in calls})
    return {"calls": {role: _of_role([call for call in calls if call.role == role]) for role in roles}}


def _of_role(calls: Sequence[Call]) -> dict[str, Any]:
    spreads = {name: _waited(name, calls) for name in WAITS}
    spreads["prefill_s"] = Spread.of(call.prefill_s for call in calls if not _lacks(call, call.prefill_s))
    spreads["decode_s"] = Spread.of(
        [call.decode_s for call in calls if call.finish is not Finish.ABORT],
        [call.decode_s for call in calls if call.finish is Finish.ABORT and call.decode_s is not None],
    )
    for name, pace in PACES.items():
        spreads[name] = Spread.of(value for call in calls if not _lacks(call, value := pace(call)))
    spreads["inter_token_s"] = gap_spread(call.gap_counts for call in calls if call.gap_counts is not None)
    return {
        "num_calls": len(calls),
        "num_aborted": sum(call.finish is Finish.ABORT for call in calls),
        **{name: None if spread is None else asdict(spread) for name, spread in spreads.items()},
    }


def _waited(name: str, calls: Sequence[Call]) -> Spread | None:
    known, censored = list[float | None](), list[float]()
    for call in calls:
        value = WAITS[name](call)
        if call.finish is Finish.ABORT and (value is None or name == "e2e_s"):
            censored.append(latency.e2e_s(call))
        else:
            known.append(value)
    return Spread.of(known, censored)


def _lacks(call: Call, value: float | None) -> bool:
    """Whether a call was stopped before `value` was there to be measured."""
    return value is None and call.finish is Finish.ABORT
