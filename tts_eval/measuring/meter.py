"""What one problem spends, from its arrival to its answer.

Knows no engine and no file; time comes from the clock it is given.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from tts_eval.records import Call, Candidate, Interim, Spend

Clock = Callable[[], float]  # seconds since the run began, monotonic


class Meter:
    """The account of one problem; it opens when the problem arrives."""

    def __init__(self, problem_id: str, clock: Clock) -> None:
        self.problem_id = problem_id
        self.clock = clock
        self.arrived_s = clock()
        self.calls: list[Call] = []
        self.interims: list[Interim] = []
        self.candidates: Sequence[Candidate] = ()
        self._num_calls_begun = 0
        self._num_thinking_tokens = 0
        self._first_answer_token_s: float | None = None

    def next_call_number(self) -> int:
        """Return the number of a call that begins now; numbers rise in the order of asking."""
        self._num_calls_begun += 1
        return self._num_calls_begun - 1

    def add(
        self, call: Call, *, num_thinking_tokens: int = 0, first_answer_token_s: float | None = None
    ) -> None:
        """Book a finished call; `first_answer_token_s` is when it first wrote after the thinking part."""
        self.calls.append(call)
        if call.role != "policy":
            return
        self._num_thinking_tokens += num_thinking_tokens
        known = [t for t in (self._first_answer_token_s, first_answer_token_s) if t is not None]
        self._first_answer_token_s = min(known, default=None)

    def interim(self, answer: str | None, candidates: Sequence[Candidate] = ()) -> None:
        """Note that `answer`, chosen from `candidates`, is the best one as of now."""
        self.interims.append(Interim(answer, self.clock() - self.arrived_s))
        self.candidates = candidates

    def spend(self) -> Spend:
        """Close the account: the problem is answered now."""
        policy = [call for call in self.calls if call.role == "policy"]
        verifier = [call for call in self.calls if call.role == "verifier"]
        others = [call for call in self.calls if call.role not in ("policy", "verifier")]
        first_tokens_s = [call.first_token_s for call in policy if call.first_token_s is not None]
        scheduled_s = [call.submitted_s + call.queue_s for call in policy if call.queue_s is not None]
        paces_s = [pace for call in policy if (pace := tpot_excl_first_s(call)) is not None]
        return Spend(
            arrived_s=self.arrived_s,
            finished_s=self.clock(),
            num_calls=len(self.calls),
            calls_s=sum(call.finished_s - call.submitted_s for call in self.calls),
            num_prompt_tokens=sum(call.num_prompt_tokens for call in policy),
            num_cached_tokens=sum(call.num_cached_tokens for call in policy),
            num_generated_tokens=sum(call.num_generated_tokens for call in policy),
            num_thinking_tokens=self._num_thinking_tokens,
            num_verifier_tokens=_all_tokens(verifier),
            num_draft_tokens=_all_tokens(others),
            num_preemptions=sum(call.num_preemptions for call in self.calls),
            ttft_s=self._after_arrival(min(first_tokens_s, default=None)),
            ttfat_s=self._after_arrival(self._first_answer_token_s),
            queue_s=self._after_arrival(min(scheduled_s, default=None)),
            tpot_excl_first_s=statistics.fmean(paces_s) if paces_s else None,
        )

    def _after_arrival(self, moment_s: float | None) -> float | None:
        return None if moment_s is None else moment_s - self.arrived_s


def tpot_excl_first_s(call: Call) -> float | None:
    """Return (last token - first token) / (tokens - 1), None where that is not known."""
    if call.decode_s is None or call.num_generated_tokens < 2:
        return None
    return call.decode_s / (call.num_generated_tokens - 1)


def _all_tokens(calls: list[Call]) -> int:
    return sum(call.num_prompt_tokens + call.num_generated_tokens for call in calls)
