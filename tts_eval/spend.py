"""What was spent: one call of an engine, all of a problem's calls together, and what a strategy may spend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from tts_eval.records import Finish, Seconds


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """One attempt of a call that a server did not carry to its end.

    It lasted `lasted_s`, after it the next one was held back for `waited_s`; `num_tokens` had come by then.
    """

    url: str
    reason: str
    lasted_s: Seconds
    waited_s: Seconds
    num_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One sample drawn from an engine: what was asked for, what came back, how long each part took.

    `submitted_s` and `finished_s` lie on the run's clock. `queue_s` is submission → first scheduled,
    `prefill_s` first scheduled → first token, `decode_s` first → last token; None where the engine keeps
    no such times. `first_token_s` and `first_answer_token_s`, the first after the thinking part, lie on the
    run's clock too. `gap_counts` sketches the gaps between tokens (see `measuring.gaps`). A call drawn in
    `num_pieces` (scheduling.chunk_tokens) waited `requeue_s` between them and computed `num_reread_tokens`
    again. `about` is the number of the call whose sample a verifier's call scored. Of a server, `url`
    answered, its first byte came `first_byte_s` after submission, and `failed` are the attempts before that;
    their time is in no time of the call but those on the run's clock.
    """

    problem_id: str
    number: int
    role: str
    seed: int | None
    num_prompt_tokens: int
    num_cached_tokens: int
    num_generated_tokens: int
    finish: Finish
    submitted_s: Seconds
    finished_s: Seconds
    queue_s: Seconds | None = None
    first_token_s: Seconds | None = None
    prefill_s: Seconds | None = None
    decode_s: Seconds | None = None
    first_answer_token_s: Seconds | None = None
    gap_counts: tuple[tuple[int, int], ...] | None = None
    num_preemptions: int = 0
    num_drafts: int | None = None
    num_draft_tokens: int | None = None
    num_accepted_tokens: int | None = None
    num_reread_tokens: int = 0
    num_pieces: int = 1
    requeue_s: Seconds = 0.0
    about: int | None = None
    num_thinking_tokens: int = 0
    url: str | None = None
    first_byte_s: Seconds | None = None
    failed: tuple[FailedAttempt, ...] = ()

    @property
    def failed_s(self) -> float:
        """How long attempts took that came to nothing, and the waits after them."""
        return sum(attempt.lasted_s + attempt.waited_s for attempt in self.failed)


@dataclass(frozen=True, slots=True)
class MaxSpend:
    """The most that a strategy may ask of the policy for one problem: whole traces, and generated tokens."""

    num_samples: int
    num_tokens: int

    def __add__(self, other: MaxSpend) -> MaxSpend:
        """Return what one after the other may spend."""
        return MaxSpend(self.num_samples + other.num_samples, self.num_tokens + other.num_tokens)

    def __mul__(self, times: int) -> MaxSpend:
        """Return what so many of the same may spend."""
        return MaxSpend(self.num_samples * times, self.num_tokens * times)


@dataclass(frozen=True, slots=True)
class RoleTokens:
    """The tokens of one role's calls."""

    num_prompt_tokens: int
    num_cached_tokens: int
    num_generated_tokens: int
    num_thinking_tokens: int

    @classmethod
    def of(cls, calls: Iterable[Call]) -> Self:
        """Return the sums over `calls`."""
        mine = list(calls)
        return cls(**{name: sum(getattr(call, name) for call in mine) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """Where one problem's time to answer went; the parts add up to it (see `measuring.critical_path`)."""

    queue_s: Seconds
    prefill_s: Seconds
    decode_s: Seconds
    engine_other_s: Seconds
    verifier_s: Seconds
    strategy_s: Seconds


@dataclass(frozen=True, slots=True)
class Spend:
    """What one problem cost: times from its arrival, tokens by role.

    Prompt, cached, generated and thinking tokens (those up to and with the end-of-thinking marker) are summed
    over all roles, a verifier's included; `by_role` holds the parts. Verifier and draft tokens are prompt and
    generated ones of the verifier, and of all other roles but the policy. First token, queue and tokens a
    second are those of the roles that answer: all but the verifier.
    `num_unread_steps` did not fit the verifier's length and took the score of a step that did;
    `num_unscored_traces` got the neutral score, as the verifier came to no verdict.
    `calls_s` adds up how long each call took, concurrent ones too. `late_s` is how long after its arrival
    the event loop got round to it; `idle_s` is how long no call was in flight; `barrier_wait_s` is how long,
    on average over calls, one that had ended waited until anything was asked for again or the answer stood.
    `grading_wait_s` adds up how long its votes took: waiting for a grading worker, and comparing.
    """

    arrived_s: Seconds
    finished_s: Seconds
    num_calls: int
    calls_s: Seconds
    num_prompt_tokens: int
    num_cached_tokens: int
    num_generated_tokens: int
    num_thinking_tokens: int
    num_verifier_tokens: int
    num_draft_tokens: int
    num_unread_steps: int
    num_preemptions: int
    ttft_s: Seconds | None
    ttfat_s: Seconds | None
    queue_s: Seconds | None
    tpot_excl_first_s: Seconds | None
    e2e_per_token_s: Seconds | None
    late_s: Seconds
    idle_s: Seconds
    barrier_wait_s: Seconds | None
    critical_path: CriticalPath
    num_unscored_traces: int = 0
    grading_wait_s: Seconds | None = None
    by_role: Mapping[str, RoleTokens] = field(default_factory=dict)

    @property
    def tta_s(self) -> float:
        """Time to answer: arrival → the strategy's final answer."""
        return self.finished_s - self.arrived_s
