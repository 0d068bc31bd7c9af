"""Where one problem's time to answer went, along the chain of calls that its answer had to wait for.

Knows no clock and no strategy: it reads finished calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from tts_eval.spend import Call, CriticalPath

PARTS = CriticalPath.__slots__


def critical_path(
    calls: Sequence[Call], *, arrived_s: float, begun_s: float, finished_s: float
) -> CriticalPath:
    """Return the parts of `finished_s` - `arrived_s`; they add up to it.

    Walks back from the answer: the call that ended last before it is what it waited for; that call was
    submitted after the one that ended last before its submission, and so on to the beginning. Between two
    calls of this chain the strategy was at work, or at a barrier. A call of the role "verifier" counts as
    one part; of any other, queue, prefill and decode are the engine's, and the rest (handing over, or all
    of it where the engine keeps no times) is `engine_other_s`. A sample drawn in pieces also queues between
    them; after a preemption it does so within its decode. What passes before the event loop gets round to
    the problem, at `begun_s`, is queueing.

    Of independent branches, the one that ended last before a submission is taken for its cause.
    """
    seconds = dict.fromkeys(PARTS, 0.0)
    cursor_s = finished_s
    for call in sorted(calls, key=lambda call: (-call.finished_s, call.submitted_s)):
        if call.finished_s > cursor_s:
            continue
        seconds["strategy_s"] += cursor_s - call.finished_s
        for name, part_s in _parts_of(call):
            seconds[name] += part_s
        cursor_s = call.submitted_s
    seconds["strategy_s"] += cursor_s - begun_s
    seconds["queue_s"] += begun_s - arrived_s
    return CriticalPath(**seconds)


def _parts_of(call: Call) -> list[tuple[str, float]]:
    """Return the parts of one call; they add up to it although the engine's clock is another."""
    left_s = call.finished_s - call.submitted_s
    if call.role == "verifier":
        return [("verifier_s", left_s)]
    told_s = {
        "queue_s": (call.queue_s or 0.0) + call.requeue_s,
        "prefill_s": call.prefill_s or 0.0,
        "decode_s": max(0.0, (call.decode_s or 0.0) - call.requeue_s),  # first to last token, waits included
    }
    parts: list[tuple[str, float]] = []
    for name, told in told_s.items():
        part_s = min(left_s, told)
        parts.append((name, part_s))
        left_s -= part_s
    return [*parts, ("engine_other_s", left_s)]
