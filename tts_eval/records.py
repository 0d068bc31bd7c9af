"""The nouns of a run as frozen records: problems, traces, candidates, attempts.

Names carry their units.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Protocol, Self

from tts_eval import checks

Seconds = Annotated[float, "s"]  # a time on a clock or a duration, which a replay does not have


@dataclass(frozen=True, slots=True)
class Problem:
    """One question with its gold answer, None where only verdicts on recorded answers are known."""

    id: str
    question: str
    gold: str | None
    level: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Thinking(Protocol):
    """Divides a trace into thinking and answer, by token ids (`tts_eval.llm.thinking`)."""

    def answer_start(self, trace: Trace) -> int | None:
        """Return how many of the trace's tokens come before its answer, None while it still thinks."""

    def answer_at(self, trace: Trace) -> int | None:
        """Return where in the trace's text its answer begins, None while it still thinks."""

    def said(self, trace: Trace) -> str:
        """Return what is said after the thinking; nothing while it still thinks."""

    def reopened(self, trace: Trace) -> Trace:
        """Return the trace up to where its thinking ended, without the marker."""


class TextCodec(Protocol):
    """What a trace needs of a tokenizer to have text appended to it, and to be read."""

    @property
    def thinking(self) -> Thinking:
        """How the model's thinking and its answers are divided."""

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the token ids of `text`, without special tokens at either end."""

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of `token_ids`, thinking markers included, turn markers not."""

    def shown(self, text: str, token_ids: Sequence[int]) -> str:
        """Return an engine's `text` of `token_ids` as `decode` gives it, with what a stop string cut off."""


class Finish(StrEnum):
    """Why a trace stopped growing."""

    END = "end"  # the model ended its turn
    STOP = "stop"  # a stop string or stop token was met
    LENGTH = "length"  # max_tokens was reached
    ABORT = "abort"  # the stream was closed before the model ended


@dataclass(frozen=True, slots=True)
class Trace:
    """An immutable prefix: the prompt's token ids and what follows them, as ids and as text.

    `token_ids` holds generated and appended tokens alike, in order. `finish` is None as long as nothing was
    generated since the last append. `logprobs` and `confidences`, where asked for, hold one value a token
    (0.0 for an appended one): its natural log-probability, and the negative mean log-probability of the
    most likely tokens in its place. `call` is the number of the call that last grew it, `is_correct` the
    verdict that came with a recorded sample.
    """

    prompt_ids: tuple[int, ...]
    codec: TextCodec = field(repr=False, compare=False)
    token_ids: tuple[int, ...] = ()
    text: str = ""
    finish: Finish | None = None
    logprobs: tuple[float, ...] | None = field(default=None, repr=False)
    confidences: tuple[float, ...] | None = field(default=None, repr=False)
    call: int | None = field(default=None, repr=False, compare=False)
    is_correct: bool | None = field(default=None, repr=False, compare=False)

    def __add__(self, text: str) -> Trace:
        """Append `text` as token ids; costs nothing until the trace is extended."""
        ids = self.codec.encode(text)
        silent = (0.0,) * len(ids)
        return replace(
            self,
            token_ids=self.token_ids + ids,
            text=self.text + text,
            finish=None,
            is_correct=None,
            logprobs=None if self.logprobs is None else self.logprobs + silent,
            confidences=None if self.confidences is None else self.confidences + silent,
        )

    def first(self, num_tokens: int) -> Trace:
        """Return the trace cut to its first `num_tokens` tokens, as if it had never grown longer."""
        ids = self.token_ids[:num_tokens]
        return replace(
            self,
            token_ids=ids,
            text=self.codec.decode(ids),
            finish=None,
            is_correct=None,
            logprobs=None if self.logprobs is None else self.logprobs[:num_tokens],
            confidences=None if self.confidences is None else self.confidences[:num_tokens],
        )

    def removesuffix(self, text: str) -> Trace:
        """Return the trace without the tokens of `text` at its end; as it is where they are not there."""
        ids = self.codec.encode(text)
        if not ids or self.token_ids[-len(ids) :] != ids:
            return self
        return self.first(self.num_tokens - len(ids))

    @property
    def num_tokens(self) -> int:
        """How many tokens follow the prompt."""
        return len(self.token_ids)

    @property
    def answer_start(self) -> int | None:
        """How many tokens come before the answer, None while it still thinks; decided on token ids."""
        return self.codec.thinking.answer_start(self)

    @property
    def is_thinking(self) -> bool:
        """Whether its thinking has not ended; never, where the model does not think."""
        return self.answer_start is None

    @property
    def said(self) -> str:
        """What it says after its thinking, special tokens left out; nothing while it still thinks."""
        return self.codec.thinking.said(self)

    def reopened(self) -> Trace:
        """Return the trace up to where its thinking ended, or began to, without the marker."""
        return self.codec.thinking.reopened(self)


@dataclass(frozen=True, slots=True)
class Markers:
    """The strings by which a model's text is divided, and those that steer it.

    `answer_lead_in` ends a thinking part from outside and opens the answer, `answer_opening` opens one where
    nothing is to be ended; `wait` takes the place of `thinking_end` to keep the model thinking;
    `thinking_end` None means that the model does not think.
    A step shorter than `min_step_tokens` is not yet one (see `tts_eval.toolkit.steps`).
    """

    thinking_start: str | None = "<think>"
    thinking_end: str | None = "</think>"
    answer_lead_in: str = "\n</think>\n\n**Final Answer**\n\\boxed{"
    wait: str = "\nWait,"
    step_separator: str = "\n\n"
    min_step_tokens: int = 1

    @property
    def answer_opening(self) -> str:
        """The lead-in of an answer after a thinking part that is closed, or skipped, already."""
        _, end, opening = self.answer_lead_in.partition(self.thinking_end or "\0")
        return opening.lstrip() if end else self.answer_lead_in


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn; temperature 0 is greedy, top_k 0 and top_p 1 switch truncation off."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0

    def __post_init__(self) -> None:
        checks.sampling_temperature("temperature", self.temperature)
        checks.number("top_p", self.top_p, minimum=1e-6, maximum=1.0)
        checks.whole_number("top_k", self.top_k, minimum=0)

    @property
    def is_greedy(self) -> bool:
        """Whether every sample is the same text."""
        return self.temperature == 0 or self.top_k == 1

    def override(self, *, temperature: float | None, top_p: float | None) -> Self:
        """Return these settings with those that are not None in their place."""
        return replace(
            self,
            temperature=self.temperature if temperature is None else temperature,
            top_p=self.top_p if top_p is None else top_p,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One finished trace that took part in the choice of the answer.

    `score` is what it was chosen by; `step_scores` are a verifier's, one a step. `is_correct` is a recorded
    verdict, None where the answer is graded. The answer begins at `answer_at` in the text, None if the
    thinking never ended.
    """

    answer: str | None
    text: str
    num_tokens: int
    finish: Finish | None
    score: float | None = None
    step_scores: tuple[float, ...] | None = None
    is_correct: bool | None = None
    answer_at: int | None = 0

    @property
    def said(self) -> str:
        """What it says after its thinking; nothing if that never ended."""
        return "" if self.answer_at is None else self.text[self.answer_at :].strip()

    @classmethod
    def of(
        cls,
        trace: Trace,
        answer: str | None,
        *,
        score: float | None = None,
        step_scores: Sequence[float] | None = None,
    ) -> Candidate:
        """Return the candidate that `trace` with its `answer` makes."""
        scores = None if step_scores is None else tuple(step_scores)
        return cls(
            answer,
            trace.text,
            trace.num_tokens,
            trace.finish,
            score,
            scores,
            trace.is_correct,
            trace.codec.thinking.answer_at(trace),
        )


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One node of a search tree: the step it adds, and what the search thought of it.

    `parent` is its parent's place among the nodes, None for a root. `score` is the verifier's, aggregated;
    `num_visits` and `value` are a Monte Carlo search's. A finished trace ends in a node with an `answer`.
    """

    parent: int | None
    text: str
    score: float | None = None
    num_visits: int = 0
    value: float | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a strategy made of a problem: its answer and every candidate behind it, the tree it searched.

    `reused_from` is the problem whose stored attempt this one is, where nothing was solved.
    """

    answer: str | None
    candidates: tuple[Candidate, ...]
    tree: tuple[TreeNode, ...] = ()
    reused_from: str | None = None

    @property
    def chosen(self) -> Candidate:
        """The candidate that gives the answer; one without a text where none does."""
        return self.stating(self.answer) or Candidate(self.answer, "", 0, None)

    def stating(self, answer: str | None) -> Candidate | None:
        """Return the best-scored of the candidates that give `answer`, the first of equal ones."""
        named = [candidate for candidate in self.candidates if candidate.answer == answer]
        return max(named, key=lambda c: -math.inf if c.score is None else c.score, default=None)


@dataclass(frozen=True, slots=True)
class Interim:
    """The best answer so far and when it stood, in seconds after the problem's arrival."""

    answer: str | None
    at_s: Seconds
