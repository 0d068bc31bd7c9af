"""Token ids for a recording, which holds none: as many as there were, and no two samples have the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NoReturn

from tts_eval.engines.replay.recording import Recording
from tts_eval.engines.text_thinking import TextThinking
from tts_eval.records import Problem, Trace

OTHER, MARKER = 0, 1  # a token, and the one that ends the thinking part
FIRST_PROMPT = 2  # the first prompt's first token; the others' follow, then the first token of each sample


class NotRecorded(ValueError):
    """Something was asked for that the recording does not hold."""


class RecordedCodec:
    """Replaces a tokenizer: the first id of a prompt or a sample is its own, the rest mean nothing."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._numbers = {problem.id: number for number, problem in enumerate(recording.problems)}
        sizes = [len(recording.samples[problem.id]) for problem in recording.problems]
        starts = accumulate(sizes, initial=FIRST_PROMPT + len(sizes))
        self._first_sample = dict(zip(self._numbers, starts, strict=False))

    def encode(self, text: str) -> tuple[int, ...]:
        """Return one token, a known one only if it ends the thinking part."""
        return (MARKER if text == self._recording.model.thinking_end else OTHER,)

    @property
    def thinking(self) -> RecordedThinking:
        """Where the thinking ends in recorded texts."""
        return RecordedThinking(self._recording.model)

    def shown(self, text: str, token_ids: Sequence[int]) -> str:
        """Return the recorded text."""
        return text

    def decode(self, token_ids: Sequence[int]) -> NoReturn:
        """Reject: a part of a recorded trace cannot be read."""
        raise NotRecorded("a recorded trace cannot be cut")

    def prompt(
        self,
        question: str,
        *,
        thinking: bool = True,
        turns: Sequence[str] = (),
        is_instructed: bool = True,
    ) -> tuple[int, ...]:
        """Return as many tokens as the recorded prompt had."""
        if turns or not thinking or not is_instructed:
            raise NotRecorded("a recording holds the plain prompt alone")
        length = self._recording.samples[question][0].num_prompt_tokens or 1
        return (FIRST_PROMPT + self._numbers[question], *(OTHER for _ in range(length - 1)))

    def problem_of(self, prompt_ids: Sequence[int]) -> Problem:
        """Return whose prompt it is; NotRecorded where anything follows the prompt."""
        problem = self._recording.problems[prompt_ids[0] - FIRST_PROMPT]
        if tuple(prompt_ids) != self.prompt(problem.question):
            raise NotRecorded(
                "a recorded trace cannot grow on: a search is never replayed, run it at each budget"
            )
        return problem

    def sample(self, problem_id: str, number: int) -> tuple[int, ...]:
        """Return as many ids as the sample had tokens, the marker about where it is in the text.

        A sample of one token has no room for a marker, nor for an answer after it.
        """
        sample = self._recording.samples[problem_id][number]
        first, end = self._first_sample[problem_id] + number, self._recording.model.thinking_end
        has_marker = end is not None and end in sample.text
        length = sample.num_tokens or 1 + has_marker
        if end is None or not has_marker or length == 1:
            return (first,) + (OTHER,) * (length - 1)
        place = max(1, sample.text.index(end) * length // len(sample.text))
        return (first,) + (OTHER,) * (place - 1) + (MARKER,) + (OTHER,) * (length - place - 1)

    def number_of(self, problem_id: str, trace: Trace) -> int:
        """Return which of the problem's samples `trace` is; NotRecorded if it is none."""
        number = trace.token_ids[0] - self._first_sample[problem_id] if trace.token_ids else -1
        is_there = 0 <= number < len(self._recording.samples[problem_id])
        if not is_there or trace.token_ids != self.sample(problem_id, number):
            raise NotRecorded("only whole samples were scored")
        return number


class RecordedThinking(TextThinking):
    """Divides thinking and answers by the markers in recorded texts."""

    def reopened(self, trace: Trace) -> NoReturn:
        """Reject: a recorded trace cannot grow on."""
        raise NotRecorded("a recorded trace cannot be cut")
