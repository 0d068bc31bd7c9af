"""Whether each problem's spend is what its calls come to, and its times lie where they must."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise

from tts_eval.measuring.meter import Meter
from tts_eval.rundir.outcome import Outcome
from tts_eval.spend import Call, Spend
from tts_eval.summary.evidence import ABS_TOLERANCE, Evidence, differing

TWO_CLOCKS_S = 0.005  # an engine's clock against the run's
NOT_OF_CALLS = ("num_unread_steps", "num_unscored_traces", "grading_wait_s")


def check_spends(evidence: Evidence) -> Iterator[str]:
    """Yield what of a problem's spend its calls do not come to, and times out of order."""
    calls: dict[str, list[Call]] = defaultdict(list)
    for call in evidence.calls:
        calls[call.problem_id].append(call)
    for outcome in evidence.outcomes:
        own = calls[outcome.problem_id]
        name, spend = f"problem {outcome.problem_id}", outcome.spend
        expected = asdict(_spent(outcome, own))
        for field, found in asdict(spend).items():
            if field not in NOT_OF_CALLS:
                yield from differing(f"{name}: spend.{field}", found, expected[field])
        yield from _out_of_order(name, spend)
        for call in own:
            yield from _misplaced(f"{name}: call {call.number}", call, spend)


def _spent(outcome: Outcome, calls: Sequence[Call]) -> Spend:
    """Work the account out again, as if its calls were booked now."""
    spend = outcome.spend
    meter = Meter(outcome.problem_id, lambda: spend.finished_s, arrived_s=spend.arrived_s)
    meter.begun_s = spend.arrived_s + spend.late_s
    for call in calls:
        meter.add(call)
    return meter.spend()


def _out_of_order(name: str, spend: Spend) -> Iterator[str]:
    path_s = sum(asdict(spend.critical_path).values())
    yield from differing(f"{name}: seconds of the critical path", path_s, spend.tta_s)
    known = [(key, getattr(spend, key)) for key in ("queue_s", "ttft_s", "ttfat_s", "tta_s")]
    times = [(key, value) for key, value in known if value is not None]
    for (earlier, first_s), (later, second_s) in pairwise(times):
        if first_s > second_s + TWO_CLOCKS_S:
            yield f"{name}: {earlier} {first_s:.6g} is more than {later} {second_s:.6g}"
    if spend.num_cached_tokens > spend.num_prompt_tokens:
        yield f"{name}: more tokens were cached than prompted"
    if spend.num_thinking_tokens > spend.num_generated_tokens:
        yield f"{name}: more tokens are thinking than were generated"


def _misplaced(name: str, call: Call, spend: Spend) -> Iterator[str]:
    begin_s, end_s = spend.arrived_s - ABS_TOLERANCE, spend.finished_s + ABS_TOLERANCE
    if not begin_s <= call.submitted_s <= call.finished_s <= end_s:
        yield f"{name}: runs from {call.submitted_s:.6g} to {call.finished_s:.6g}, outside its problem's time"
    parts_s = (call.queue_s or 0.0) + (call.prefill_s or 0.0) + (call.decode_s or 0.0)
    if parts_s > call.finished_s - call.submitted_s + TWO_CLOCKS_S:
        yield f"{name}: its parts take {parts_s:.6g} s, it {call.finished_s - call.submitted_s:.6g} s"
