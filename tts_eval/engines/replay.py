"""An engine that hands out recorded samples: accuracy at every k, without a model and without any times.

Knows no strategy. Whatever a recording cannot answer is refused: a trace that is to grow on, another
temperature, more samples than there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from tts_eval.engines.recorded_verifier import recorded_verifier
from tts_eval.engines.recording import RecordedTask, Recording, Sample, read_run
from tts_eval.engines.trace_file import TraceColumns, read_traces
from tts_eval.model import Model
from tts_eval.records import Finish, Problem
from tts_eval.requests import REPLAYED, Completion, EngineFacts, Gauges, Request

OTHER, MARKER = 0, 1  # a token, and the one that ends the thinking part
FIRST_PROMPT = 2  # the first prompt's first token; the others' follow


class NotRecorded(ValueError):
    """Something was asked for that the recording does not hold."""


class _Replaying:
    """What the two kinds of settings share: they differ in where the recording comes from."""

    num_gpus = 0
    recording: Recording

    def check(self, model: Model) -> None:
        """Read the recording, which raises ValueError where it cannot be replayed."""
        _ = self.recording

    def model_len(self, model: Model) -> int:
        """Return the recorded engine's."""
        return self.recording.max_model_len

    def codec(self) -> RecordedCodec:
        """Return what stands in for the tokenizer."""
        return RecordedCodec(self.recording)

    def parts(self) -> Mapping[str, Any]:
        """Return the recorded model, task and verifier."""
        return {
            "model": self.recording.model,
            "task": RecordedTask(self.recording),
            "verifier": recorded_verifier(self.recording, self.codec()),
        }

    @property
    def architecture(self) -> Mapping[str, Any] | None:
        """The recorded model's configuration."""
        return self.recording.architecture

    @property
    def fingerprint(self) -> str | None:
        """That of the problems as they were asked."""
        return self.recording.fingerprint

    @property
    def num_samples(self) -> int:
        """How many samples every problem has."""
        return self.recording.num_samples

    @asynccontextmanager
    async def start(self, model: Model) -> AsyncIterator[ReplayEngine]:
        """Start at the first sample of every problem."""
        yield ReplayEngine(self.recording)


@dataclass(frozen=True)
class ReplayRun(_Replaying):
    """The samples of the run in folder `run`."""

    run: str

    @cached_property
    def recording(self) -> Recording:  # type: ignore[override]
        """What is replayed."""
        return read_run(self.run)


@dataclass(frozen=True)
class ReplayTraces(_Replaying):
    """The samples of a file of somebody's traces, or of several; the other fields name its columns."""

    path: str | Sequence[str]
    problem: str = "problem"
    text: str | None = None
    answer: str | None = None
    gold: str | None = None
    correct: str | None = None
    sample: str | None = None
    score: str | None = None
    tokens: str | None = None
    level: str | None = None

    def __post_init__(self) -> None:
        _ = self.columns

    @property
    def columns(self) -> TraceColumns:
        """Which column means what."""
        return TraceColumns(**{name: getattr(self, name) for name in TraceColumns.__slots__})

    @cached_property
    def recording(self) -> Recording:  # type: ignore[override]
        """What is replayed."""
        return read_traces([self.path] if isinstance(self.path, str) else list(self.path), self.columns)


class RecordedCodec:
    """Stands in for a tokenizer, of which a recording has no need: counts are right, ids mean nothing."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._numbers = {problem.id: number for number, problem in enumerate(recording.problems)}

    def encode(self, text: str) -> tuple[int, ...]:
        """Return one token, which is told apart only if it ends the thinking part."""
        return (MARKER if text == self._recording.model.thinking_end else OTHER,)

    def decode(self, token_ids: Sequence[int]) -> NoReturn:
        """Refuse: a part of a recorded trace cannot be read."""
        raise NotRecorded("a recorded trace cannot be cut")

    def prompt(self, question: str, *, thinking: bool = True, turns: Sequence[str] = ()) -> tuple[int, ...]:
        """Return as many tokens as the recorded prompt had; the first one tells which it was."""
        if turns or not thinking:
            raise NotRecorded("a recording holds the plain prompt alone")
        length = self._recording.samples[question][0].num_prompt_tokens or 1
        return (FIRST_PROMPT + self._numbers[question], *(OTHER for _ in range(length - 1)))


class ReplayEngine:
    """Gives each problem its samples in recorded order, one a request."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._codec = RecordedCodec(recording)
        self._num_given: Counter[str] = Counter()

    @property
    def facts(self) -> EngineFacts:
        """What is replayed, and which token counts are not known."""
        known = {
            "prompt": self._recording.knows("num_prompt_tokens"),
            "cached": self._recording.knows("num_cached_tokens"),
            "generated": self._recording.knows("num_tokens"),
            "thinking": False,
        }
        return EngineFacts(
            name="replay",
            version="1",
            device="none",
            num_gpus=0,
            max_model_len=self._recording.max_model_len,
            startup_s=0.0,
            settings={
                "source": self._recording.source,
                "unknown_tokens": [kind for kind, is_known in known.items() if not is_known],
            },
            provenance=REPLAYED,
        )

    def gauges(self) -> Gauges:
        """Return what an engine shows that does nothing."""
        return Gauges()

    async def forget(self) -> None:
        """Begin again at the first samples."""
        self._num_given.clear()

    async def generate(self, request: Request) -> Completion:
        """Return the problem's next sample; NotRecorded where it is not what was asked for."""
        problem = self._problem(request)
        samples = self._recording.samples[problem.id]
        number = self._num_given[problem.id]
        if number == len(samples):
            raise NotRecorded(
                f"problem {problem.id} has {number} recorded samples, and one more was asked for"
            )
        self._num_given[problem.id] += 1
        sample = samples[number]
        self._check(request, sample)
        return Completion(
            self._token_ids(sample),
            sample.text,
            sample.finish,
            num_cached_tokens=sample.num_cached_tokens or 0,
        )

    def stream(self, request: Request, *, every: int = 1) -> NoReturn:
        """Refuse: nobody recorded how a trace grew."""
        raise NotRecorded("a recorded trace cannot be watched while it grows")

    def _problem(self, request: Request) -> Problem:
        number = request.prompt_ids[0] - FIRST_PROMPT
        problem = self._recording.problems[number]
        if request.prompt_ids != self._codec.prompt(problem.question):
            raise NotRecorded(
                "a recorded trace cannot grow on: a search is never replayed, run it at each budget"
            )
        return problem

    def _check(self, request: Request, sample: Sample) -> None:
        recorded = self._recording.sampling
        if recorded is not None and request.sampling != recorded:
            raise NotRecorded(f"the samples were drawn with {recorded}, not with {request.sampling}")
        if request.stop or request.max_thinking_tokens is not None:
            raise NotRecorded("a recorded trace cannot be stopped anywhere else than it was")
        room = self._recording.max_model_len - len(request.prompt_ids)
        length = sample.num_tokens or 0
        was_cut = sample.finish is Finish.LENGTH
        if length > request.max_tokens or (was_cut and length < request.max_tokens < room):
            raise NotRecorded(
                f"a sample of {length} tokens{' that was cut there' if was_cut else ''} does not tell what "
                f"max_tokens={request.max_tokens} would give; ask for what was asked for when it was drawn"
            )

    def _token_ids(self, sample: Sample) -> tuple[int, ...]:
        """Return as many ids as there were tokens, the marker about where it stands in the text."""
        length = sample.num_tokens or 1
        end = self._recording.model.thinking_end
        if end is None or end not in sample.text:
            return (OTHER,) * length
        place = sample.text.index(end) * length // len(sample.text)
        return (OTHER,) * place + (MARKER,) + (OTHER,) * (length - place - 1)
