"""What one problem spends, from its arrival to its answer."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

from tts_eval.measuring.latency import barrier_wait_s, e2e_per_token_s, e2e_s, idle_s, tpot_excl_first_s
from tts_eval.records import Candidate, Interim
from tts_eval.spend import Call, CriticalPath, RoleTokens, Spend

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


Clock = Callable[[], float]  # seconds since the run began, monotonic


class Meter:
    """The account of one problem; it opens when the problem arrives, `arrived_s` (None: now)."""

    def __init__(self, problem_id: str, clock: Clock, *, arrived_s: float | None = None) -> None:
        self.problem_id = problem_id
        self.clock = clock
        self.begun_s = clock()
        self.arrived_s = self.begun_s if arrived_s is None else min(arrived_s, self.begun_s)
        self.calls: list[Call] = []
        self.interims: list[Interim] = []
        self.candidates: Sequence[Candidate] = ()
        self.num_unread_steps = 0
        self.num_unscored_traces = 0
        self.grading_wait_s = 0.0
        self._num_calls_begun = 0
        self._num_samples: Counter[tuple[str, str]] = Counter()

    @property
    def late_s(self) -> float:
        """How long after its arrival the problem was begun."""
        return self.begun_s - self.arrived_s

    def next_call_number(self) -> int:
        """Return the number of a call that begins now; numbers rise in the order of asking."""
        self._num_calls_begun += 1
        return self._num_calls_begun - 1

    def next_sample_number(self, role: str, prefix: str) -> int:
        """Return how many samples of `prefix` were requested from `role` before; counts this one."""
        self._num_samples[role, prefix] += 1
        return self._num_samples[role, prefix] - 1

    def add(self, call: Call) -> None:
        """Book a finished call."""
        self.calls.append(call)

    def interim(self, answer: str | None, candidates: Sequence[Candidate] = ()) -> None:
        """Note that `answer`, chosen from `candidates`, is the best one as of now."""
        self.interims.append(Interim(answer, self.clock() - self.arrived_s))
        self.candidates = candidates

    def spend(self) -> Spend:
        """Close the account: the problem is answered now."""
        finished_s = self.clock()
        answering = [call for call in self.calls if call.role != "verifier"]
        verifier = [call for call in self.calls if call.role == "verifier"]
        others = [call for call in self.calls if call.role not in ("policy", "verifier")]
        return Spend(
            arrived_s=self.arrived_s,
            finished_s=finished_s,
            num_calls=len(self.calls),
            calls_s=sum(map(e2e_s, self.calls)),
            **asdict(RoleTokens.of(self.calls)),
            num_verifier_tokens=_all_tokens(verifier),
            num_draft_tokens=_all_tokens(others),
            num_unread_steps=self.num_unread_steps,
            num_unscored_traces=self.num_unscored_traces,
            grading_wait_s=self.grading_wait_s,
            num_preemptions=sum(call.num_preemptions for call in self.calls),
            ttft_s=self._first_after_arrival(call.first_token_s for call in answering),
            ttfat_s=self._first_after_arrival(call.first_answer_token_s for call in answering),
            queue_s=self._first_after_arrival(
                None if call.queue_s is None else call.submitted_s + call.queue_s for call in answering
            ),
            tpot_excl_first_s=_mean(map(tpot_excl_first_s, answering)),
            e2e_per_token_s=_mean(map(e2e_per_token_s, answering)),
            late_s=self.late_s,
            idle_s=idle_s(self.calls, begun_s=self.begun_s, finished_s=finished_s),
            barrier_wait_s=barrier_wait_s(self.calls, finished_s=finished_s),
            critical_path=critical_path(
                self.calls, arrived_s=self.arrived_s, begun_s=self.begun_s, finished_s=finished_s
            ),
            by_role={
                role: RoleTokens.of(call for call in self.calls if call.role == role)
                for role in sorted({call.role for call in self.calls})
            },
        )

    def _first_after_arrival(self, moments_s: Iterable[float | None]) -> float | None:
        first_s = min((moment_s for moment_s in moments_s if moment_s is not None), default=None)
        return None if first_s is None else first_s - self.arrived_s


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _all_tokens(calls: list[Call]) -> int:
    return sum(call.num_prompt_tokens + call.num_generated_tokens for call in calls)
