"""The whole theory on one screen: what a strategy is given, what it gives, and what runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from tts_eval.model import Model
from tts_eval.records import Attempt, Candidate, Markers, Problem, TextCodec, Trace
from tts_eval.spend import Call, MaxSpend

StepScores = Sequence[float]  # one score in [0, 1] a reasoning step


class LanguageModel(Protocol):
    """A metered handle on a model: the only way a strategy spends compute."""

    @property
    def markers(self) -> Markers:
        """The strings that divide this model's text."""

    def start(
        self,
        problem: Problem,
        *,
        thinking: bool = True,
        turns: Sequence[str] = (),
        is_instructed: bool = True,
    ) -> Trace:
        """Return the empty trace of `problem`: its prompt, ready to be extended.

        `turns` is the dialogue after the question: an answer of the model, words of the user, and so on; one
        that ends with the model's turn is complete. Verifiers leave the model's instruction out
        (`is_instructed`): how to state an answer is the task's business.
        """

    async def extend(
        self,
        trace: Trace,
        *,
        n: int = 1,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        temperature: float | None = None,
        top_p: float | None = None,
        num_logprobs: int | None = None,
        max_thinking_tokens: int | None = None,
    ) -> list[Trace]:
        """Return `n` independent continuations of `trace`, each with its stop string kept.

        None stands for the model's recommended sampling, and for all the room that its length leaves.
        `num_logprobs=0` keeps each token's log-probability, k > 0 also its confidence among the top k.
        `max_thinking_tokens` has the engine itself end the thinking; RuntimeError if it did not.
        """

    def stream(
        self,
        trace: Trace,
        *,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        temperature: float | None = None,
        top_p: float | None = None,
        num_logprobs: int | None = None,
        every: int = 1,
    ) -> AbstractAsyncContextManager[AsyncIterator[Trace]]:
        """Yield `trace` each time it has grown by `every` tokens; leaving the context stops it growing."""

    def answer(self, trace: Trace) -> str | None:
        """Return the answer that `trace` states after its thinking part, None if it states none."""

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        """Return the indices of mathematically equivalent answers, the largest group first."""

    def room_tokens(self, trace: Trace) -> int:
        """Return how many tokens the model's length leaves after `trace`."""

    def uniform(self, key: str) -> float:
        """Return a number in [0, 1) that run seed, problem and `key` decide: a strategy's only chance."""

    def interim(self, answer: str | None, candidates: Sequence[Candidate] = ()) -> None:
        """Note that `answer` is the best one so far, chosen from `candidates`.

        It counts for accuracy at a deadline, and is the problem's answer if the budget ends the attempt.
        """

    def as_part(self) -> LanguageModel:
        """Return the handle for a part of a strategy, whose interim answers are not the problem's."""

    def as_role(self, role: str) -> LanguageModel:
        """Return the handle on the model configured for `role`, metered under that role."""

    async def read(
        self, token_ids: Sequence[int], ends: Sequence[int], *, num_known: int = 0
    ) -> list[tuple[float, ...]]:
        """Return a reward model's logits, one a label, at each of `ends[num_known:]`: rising positions."""

    def note_unread(self, num_steps: int) -> None:
        """Count steps that a verifier passed over because they did not fit its model."""

    def note_unscored(self) -> None:
        """Count a trace on which a verifier came to no verdict."""


class Verifier(Protocol):
    """Scores traces without knowing the gold answer."""

    async def score(self, problem: Problem, traces: Sequence[Trace]) -> list[StepScores]:
        """Return for each trace one score a step."""


@runtime_checkable
class StepVerifier(Protocol):
    """A verifier as configured that scores every step, each by what stands up to its end alone.

    It spends through `llm.as_role(...)`; a strategy holds it as a `Verifier` that is metered.
    """

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> Sequence[float]:
        """Return the scores of `steps[num_known:]`; those before were scored by earlier calls."""


@runtime_checkable
class TraceVerifier(Protocol):
    """A verifier as configured that gives a trace one score, as outcome models and confidences do."""

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float | None:
        """Return the score of `trace` in [0, 1]; None where there is no verdict, which counts as neutral."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """Scores that were given before, and the calls that they took then."""

    scores: StepScores
    calls: tuple[Call, ...] = ()


@runtime_checkable
class RecallsScores(Protocol):
    """A verifier that hands out the scores recorded with each sample, and scores nothing itself."""

    @property
    def is_scaled(self) -> bool:
        """Whether all scores lie in [0, 1]; of others only the order means something."""

    def recall(self, problem: Problem, trace: Trace) -> Recalled:
        """Return what was recorded for `trace`, a whole sample."""


@runtime_checkable
class NeedsRole(Protocol):
    """A verifier that scores with a model of its own."""

    @property
    def role(self) -> str:
        """The role under which that model is configured."""

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Raise ValueError where the tokenizer of `model` does not write what is to be read."""


@runtime_checkable
class NeedsLogprobs(Protocol):
    """A verifier that reads the log-probabilities of the policy's tokens."""

    @property
    def num_logprobs(self) -> int:
        """How many a token it reads; the policy is asked for at least so many (0: the token's own)."""


class Strategy(Protocol):
    """A way of spending test-time compute on one problem."""

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer `problem`, spending through `llm` and `verifier` alone."""


class Difficulty(Protocol):
    """Tells how hard a problem will be before anything is spent on it."""

    def of(self, problem: Problem) -> float:
        """Return the chance in [0, 1] that a cheap attempt fails, without a look at the gold answer."""


class Embedding(Protocol):
    """Turns a question into a vector; alike questions have a cosine near 1."""

    def __call__(self, text: str) -> npt.NDArray[np.float64]:
        """Return the vector of `text`, of length 1."""


@runtime_checkable
class ChecksModel(Protocol):
    """A strategy or verifier that has something to refuse once the model is known."""

    def check_model(self, model: Model, *, room_tokens: int) -> None:
        """Raise ValueError; `room_tokens` is what the model's length leaves after the longest prompt."""


@runtime_checkable
class ChecksParts(Protocol):
    """A strategy that needs more of its run than the policy."""

    def check_parts(self, *, verifier: object, roles: Collection[str], is_speculative: bool) -> None:
        """Raise ValueError; `verifier` is the one configured or None, `roles` those that have a model."""


@runtime_checkable
class DeclaresSpend(Protocol):
    """A strategy that can tell what it may spend, so that sweeps of different ones share an axis."""

    def max_spend(self, *, room_tokens: int) -> MaxSpend | None:
        """Return the most it asks of the policy for a problem whose prompt leaves `room_tokens`.

        None where a nested strategy does not tell. Asking for more fails the problem.
        """


class Task(Protocol):
    """A benchmark: problems with gold answers."""

    @property
    def name(self) -> str:
        """What the benchmark is called in tables."""

    def problems(self) -> Iterable[Problem]:
        """Return the problems in a fixed order; raises ValueError on a row that cannot be used."""


class Load(Protocol):
    """How problems arrive."""

    @property
    def is_open(self) -> bool:
        """Whether problems arrive whatever becomes of those before them."""

    @property
    def is_steady(self) -> bool:
        """Whether it presses equally hard from its beginning to its end: then it is kept up by fill."""

    @property
    def in_flight(self) -> int | None:
        """How many problems a closed loop keeps in flight; None for an open load."""

    async def drive(
        self,
        arrivals: Sequence[Callable[[float], Awaitable[None]]],
        *,
        clock: Callable[[], float],
        fill: Iterable[Callable[[float], Awaitable[None]]] = (),
    ) -> None:
        """Call each of `arrivals` when its problem arrives, with that moment on `clock`, and await them all.

        An open load gives the moment at which the problem was due, even if it could only be called later.
        A steady load calls those of `fill` (endless) besides, so that it presses equally hard on every one of
        `arrivals` from first to last, and cancels what is in flight of them once `arrivals` are answered.
        """
