"""One sample requested from an engine, what came back, and what the engine reports of itself."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tts_eval.records import Finish, Sampling
from tts_eval.spend import FailedAttempt

REPLAYED = "replayed"  # the provenance of samples that were drawn before


class EngineDied(RuntimeError):
    """The engine is gone: no request of this run can be answered any more."""


class NotServed(ValueError):
    """Something was asked for that the engine cannot give."""


@dataclass(frozen=True, slots=True)
class Request:
    """One sample to be drawn: `num_logprobs` None asks for no log-probabilities, 0 for the token's own.

    A lower `priority` is served first, where the engine schedules by priority.
    `max_thinking_tokens` asks the engine to end the thinking part itself once it has so many tokens.
    In the prefix cache a request finds only what those of the same `cache_salt` have left there.
    """

    prompt_ids: tuple[int, ...]
    sampling: Sampling
    max_tokens: int
    stop: tuple[str, ...] = ()
    seed: int | None = None
    num_logprobs: int | None = None
    priority: int = 0
    max_thinking_tokens: int | None = None
    cache_salt: str | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the parts of one sample took, as far as the engine reports.

    `first_token_s` counts from submission; `queue_s` is queued → first scheduled, `prefill_s` first
    scheduled → first token, `decode_s` first → last token. `token_times_s` is when each token
    came, counted from submission; tokens of one engine step come together. `requeue_s` is what a sample
    drawn in pieces waited between them. Of a server `first_byte_s` is submission → the response's headers.
    """

    first_token_s: float | None = None
    queue_s: float | None = None
    prefill_s: float | None = None
    decode_s: float | None = None
    token_times_s: tuple[float, ...] | None = None
    requeue_s: float = 0.0
    first_byte_s: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What one request has generated so far; `finish` is None while it still grows.

    `text` keeps the stop string it ended on. `logprobs` are natural; `confidences` are the negative mean
    log-probabilities of the most likely `num_logprobs` tokens (DeepConf, arXiv 2508.15260, section 2).
    Drafts (each one step's guess at several tokens), drafted and accepted tokens are those of speculative
    decoding, verified ones alone; None where the engine does not say. Reread tokens are those that a sample
    drawn in `num_pieces` had to compute again. `is_correct` is a verdict that was recorded with the sample.
    A server's samples name its `url` and the attempts that failed before; `num_prompt_tokens` is its own
    count where it renders the prompt.
    """

    token_ids: tuple[int, ...]
    text: str
    finish: Finish | None
    num_cached_tokens: int = 0
    num_preemptions: int = 0
    num_drafts: int | None = None
    num_draft_tokens: int | None = None
    num_accepted_tokens: int | None = None
    num_reread_tokens: int = 0
    num_pieces: int = 1
    timing: Timing = Timing()
    logprobs: tuple[float, ...] | None = None
    confidences: tuple[float, ...] | None = None
    is_correct: bool | None = None
    num_prompt_tokens: int | None = None
    url: str | None = None
    failed: tuple[FailedAttempt, ...] = ()


@dataclass(frozen=True, slots=True)
class PoolingRequest:
    """Token ids for a reward model to read; where it may, it passes over those in the prefix cache."""

    token_ids: tuple[int, ...]
    may_use_cache: bool = True
    cache_salt: str | None = None


@dataclass(frozen=True, slots=True)
class Pooled:
    """Logits of a reward model's head, one row a token; the last row is that of the last token.

    The first `num_cached_tokens` have none: they were in the prefix cache.
    """

    rows: tuple[tuple[float, ...], ...]
    num_cached_tokens: int = 0
    url: str | None = None
    failed: tuple[FailedAttempt, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What is fixed once an engine runs.

    `is_seeded` says whether equal seeds give equal samples, `takes_seeds` whether samples are given any.
    With `is_synthetic` drafts are accepted by chance: times mean something, texts nothing. `provenance` is
    "replayed" where samples are handed out that were drawn before: then no time means anything.
    """

    name: str
    version: str
    device: str
    num_gpus: int
    max_model_len: int
    startup_s: float
    is_seeded: bool = True
    takes_seeds: bool = True
    is_synthetic: bool = False
    provenance: str = "measured"
    has_gauges: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gauges:
    """The engine at one moment: levels as they stand, counters since the engine started.

    `kv_cache_usage_peak` is the highest use since the reading before this one. A draft is one step's guess
    at several tokens; `num_accepted_tokens_at` counts the accepted ones by their place in it.
    """

    num_running: int = 0
    num_waiting: int = 0
    kv_cache_usage: float = 0.0
    kv_cache_usage_peak: float = 0.0
    num_steps: int = 0
    num_generated_tokens: int = 0
    num_preemptions: int = 0
    num_prefix_queried_tokens: int = 0
    num_prefix_hit_tokens: int = 0
    num_drafts: int = 0
    num_draft_tokens: int = 0
    num_accepted_tokens: int = 0
    num_accepted_tokens_at: tuple[int, ...] = ()


def derive_seed(run_seed: int, problem_id: str, *key: int | str) -> int:
    """Return a seed in [0, 2^63) for what `key` names within a problem."""
    text = "\0".join(map(str, (run_seed, problem_id, *key)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def digest(token_ids: Sequence[int]) -> str:
    """Return a short name for `token_ids`, the same for the same ids."""
    return hashlib.blake2b(array("q", token_ids).tobytes(), digest_size=8).hexdigest()


def uniform(seed: int) -> float:
    """Return the number in [0, 1) that belongs to `seed`."""
    return (seed >> 10) / 2**53
