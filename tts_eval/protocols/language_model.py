"""The metered handle on a model that a strategy is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tts_eval.records import Candidate, Markers, Problem, Trace


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
        """Return the indices of the answers that the task calls the same, the largest group first."""

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
