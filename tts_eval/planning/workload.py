"""What the engines have to do: jobs (a problem's calls, in rounds) and how they arrive.

One sample is best-of-1, n samples are a vote or best-of-n, and rounds are the levels of a tree search or of
a sequential strategy: a round begins when the one before it is done.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tts_eval import checks


@dataclass(frozen=True, slots=True)
class Piece:
    """One call: a prompt, of which `num_cached_tokens` are found in the prefix cache, and what it yields."""

    num_prompt_tokens: int
    num_cached_tokens: int
    num_generated_tokens: int


@dataclass(frozen=True, slots=True)
class Job:
    """One problem: rounds of calls, those of a round together. `arrived_s` counts in an open loop alone."""

    rounds: tuple[tuple[Piece, ...], ...]
    arrived_s: float = 0.0

    @property
    def pieces(self) -> list[Piece]:
        return [piece for pieces in self.rounds for piece in pieces]


@dataclass(frozen=True, slots=True)
class Workload:
    """The jobs to plan for; the fields are those of `plan.workload`.

    `reasoning_tokens` is the median of what a sample generates; lengths are lognormal with `length_sigma`
    (0: all equal), cut at `max_tokens`. A sample's tokens are shared out over `rounds`. `in_flight` problems
    are kept going (a closed loop), or `rate_per_s` arrive (Poisson); with neither, all arrive at once.
    """

    num_problems: int = 512
    prompt_tokens: int = 128
    reasoning_tokens: int = 4096
    length_sigma: float = 0.0
    max_tokens: int | None = None
    samples: int = 1
    rounds: int = 1
    in_flight: int | None = None
    rate_per_s: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("num_problems", "prompt_tokens", "reasoning_tokens", "samples", "rounds"):
            checks.whole_number(f"plan.workload.{name}", getattr(self, name), minimum=1)
        checks.number("plan.workload.length_sigma", self.length_sigma, minimum=0)
        checks.optional_whole_number("plan.workload.max_tokens", self.max_tokens, minimum=1)
        checks.optional_whole_number("plan.workload.in_flight", self.in_flight, minimum=1)
        if self.rate_per_s is not None:
            checks.number("plan.workload.rate_per_s", self.rate_per_s, minimum=1e-9)
        if self.in_flight is not None and self.rate_per_s is not None:
            raise ValueError("plan.workload.in_flight and plan.workload.rate_per_s exclude each other")
        if self.rounds > self.reasoning_tokens:
            raise ValueError(
                f"plan.workload.rounds must be at most the {self.reasoning_tokens} reasoning tokens, "
                f"not {self.rounds}"
            )

    @property
    def load(self) -> str:
        """How jobs arrive, in words."""
        if self.rate_per_s is not None:
            return f"poisson, {self.rate_per_s:g} problems/s"
        return "all at once" if self.in_flight is None else f"{self.in_flight} problems in flight"

    def jobs(self) -> list[Job]:
        """Return the jobs; the same seed gives the same ones."""
        random = np.random.default_rng(self.seed)
        normal = random.standard_normal((self.num_problems, self.samples))
        lengths = np.rint(self.reasoning_tokens * np.exp(self.length_sigma * normal)).astype(int)
        lengths = np.clip(lengths, self.rounds, self.max_tokens)
        gaps = np.zeros(self.num_problems)
        if self.rate_per_s is not None:
            gaps = random.exponential(1 / self.rate_per_s, self.num_problems)
        arrivals = np.cumsum(gaps) - gaps[0]
        return [
            Job(tuple(self._round(list(own), number) for number in range(self.rounds)), float(arrived_s))
            for own, arrived_s in zip(lengths.tolist(), arrivals, strict=True)
        ]

    def _round(self, lengths: Sequence[int], number: int) -> tuple[Piece, ...]:
        """Return one round's calls: all but the first sample find the prompt cached, later ones the trace."""
        pieces = []
        for sample, length in enumerate(lengths):
            done, until = (length * n // self.rounds for n in (number, number + 1))
            context = self.prompt_tokens + done
            is_cached = sample > 0 or number > 0
            pieces.append(Piece(context, context - 1 if is_cached else 0, until - done))
        return tuple(pieces)


@dataclass(frozen=True, slots=True)
class Shape:
    """The moments of a workload's calls that closed forms need.

    `context_tokens` is the mean context that a decode step sees, longer calls counting for longer;
    `final_tokens` the longest a call gets.
    """

    num_calls: int
    calls_per_problem: float
    calls_at_once: float
    prompt_tokens: float
    prefill_tokens: float
    generated_tokens: float
    context_tokens: float
    final_tokens: int

    @classmethod
    def of(cls, jobs: Sequence[Job]) -> Shape:
        """Return the shape of `jobs`."""
        pieces = [piece for job in jobs for piece in job.pieces]
        prompts = np.array([p.num_prompt_tokens for p in pieces], float)
        cached = np.array([p.num_cached_tokens for p in pieces], float)
        generated = np.array([p.num_generated_tokens for p in pieces], float)
        return cls(
            num_calls=len(pieces),
            calls_per_problem=len(pieces) / len(jobs),
            calls_at_once=len(pieces) / sum(len(job.rounds) for job in jobs),
            prompt_tokens=float(prompts.mean()),
            prefill_tokens=float((prompts - cached).mean()),
            generated_tokens=float(generated.mean()),
            context_tokens=float((generated * (prompts + generated / 2)).sum() / generated.sum()),
            final_tokens=math.ceil((prompts + generated).max()),
        )
