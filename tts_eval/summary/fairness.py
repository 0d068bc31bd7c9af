"""Whether some problems were starved that others might be quick.

Starvation shows in the tails: the longest wait beside the usual one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tts_eval.measuring.latency import e2e_s
from tts_eval.records import Finish
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.topic import Topic
from tts_eval.spend import Call
from tts_eval.statistics.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits(Spread):
    """A spread with the largest of its values."""

    max: float


class Fairness(Topic, frozen=True, kw_only=True):
    """How long a problem's calls waited for the engine in all, and how evenly it served them.

    A call that the engine never began, as it was stopped before, leaves its problem's wait censored.

    `fairness_jain` is Jain's index (DEC-TR-301, 1984) of generated tokens per second of time to answer: 1
    where every problem was served at the same pace, 1/n where one of n had everything.
    """

    engine_wait_s: Waits | None
    tta_max_s: float | None
    fairness_jain: float | None


def fairness_figures(outcomes: Sequence[Outcome], calls: Sequence[Call]) -> Fairness:
    """Return the waits of `calls` and the paces of `outcomes`."""
    waits_s: dict[str, float] = {}
    unserved = set[str]()
    for call in calls:
        waited_s = None if call.queue_s is None else call.queue_s + call.requeue_s
        if waited_s is None and call.finish is Finish.ABORT and call.num_prompt_tokens == 0:
            waited_s = e2e_s(call)
            unserved.add(call.problem_id)
        if waited_s is not None:
            waits_s[call.problem_id] = waits_s.get(call.problem_id, 0.0) + waited_s
    spread = Spread.of(
        [wait_s for problem_id, wait_s in waits_s.items() if problem_id not in unserved],
        [waits_s[problem_id] for problem_id in unserved],
    )
    paces = [o.spend.num_generated_tokens / o.spend.tta_s for o in outcomes if o.spend.tta_s > 0]
    squares = sum(pace**2 for pace in paces)
    return Fairness(
        engine_wait_s=None if spread is None else Waits(**asdict(spread), max=max(waits_s.values())),
        tta_max_s=max((outcome.spend.tta_s for outcome in outcomes), default=None),
        fairness_jain=sum(paces) ** 2 / (len(paces) * squares) if squares else None,
    )
