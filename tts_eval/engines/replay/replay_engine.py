"""An engine that hands out recorded samples: accuracy at every k, without a model and without any times.

Whatever a recording cannot answer is rejected: a trace that is to grow on, another temperature, more samples
than there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from tts_eval.engines.protocol import Capabilities, EngineSettings, RecordedDrafting
from tts_eval.engines.replay.codec import NotRecorded, RecordedCodec
from tts_eval.engines.replay.recorded_run import read_run
from tts_eval.engines.replay.recorded_task import RecordedTask, task_of_run
from tts_eval.engines.replay.recording import Recording, Sample
from tts_eval.engines.replay.traces import TraceColumns, read_traces
from tts_eval.engines.replay.verifier import recorded_verifier
from tts_eval.engines.whole import WholeStream
from tts_eval.model import Model
from tts_eval.protocols import Task
from tts_eval.records import Finish
from tts_eval.requests import REPLAYED, Completion, EngineFacts, Gauges, Request


class _Replaying(EngineSettings):
    """What the two kinds of settings share: they differ in where the recording comes from."""

    recording: Recording
    graded_as: ClassVar[Task] = Task()  # as mathematics

    @property
    def label(self) -> str:
        """What messages call it."""
        return "replay"

    @property
    def capabilities(self) -> Capabilities:
        """It hands out whole samples, as they were drawn."""
        return Capabilities(token_ids=False, streams=False, aborts=False, gauges=False)

    @property
    def num_gpus(self) -> int:
        """None: nothing runs."""
        return 0

    def check(self, model: Model) -> None:
        """Read the recording, which raises ValueError where it cannot be replayed."""
        _ = self.recording

    def model_len(self, model: Model) -> int:
        """Return the recorded engine's."""
        return self.recording.max_model_len

    def codec(self) -> RecordedCodec:
        """Return what replaces the tokenizer."""
        return RecordedCodec(self.recording)

    def parts(self) -> Mapping[str, Any]:
        """Return the recorded model, task and verifier."""
        return {
            "model": self.recording.model,
            "task": RecordedTask(self.recording, self.graded_as),
            "verifier": recorded_verifier(self.recording, self.codec()),
        }

    @property
    def architecture(self) -> Mapping[str, Any] | None:
        """The recorded model's configuration."""
        return self.recording.architecture

    @property
    def role_architectures(self) -> Mapping[str, Any]:
        """The configurations of the recorded models beside the policy, by role."""
        return self.recording.role_architectures

    @property
    def recorded_drafting(self) -> RecordedDrafting | None:
        """What drafted inside the recorded engine."""
        return self.recording.drafting

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

    @cached_property
    def graded_as(self) -> Task:  # type: ignore[override]
        """The task that found and graded the answers of the run."""
        return task_of_run(Path(self.run).expanduser())


@dataclass(frozen=True)
class ReplayTraces(_Replaying):
    """The samples of a file of somebody's traces, or of several; from `problem` on fields name its columns.

    `task` and `model` are what tables call the benchmark and what wrote the traces. Files of one benchmark,
    given the same `task`, can be compared.
    """

    path: str | Sequence[str]
    task: str | None = None
    model: str | None = None
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
    def label(self) -> str:
        """What messages call it."""
        return "replay_traces"

    @property
    def columns(self) -> TraceColumns:
        """Which column means what."""
        return TraceColumns(**{name: getattr(self, name) for name in TraceColumns.__slots__})

    @cached_property
    def recording(self) -> Recording:  # type: ignore[override]
        """What is replayed."""
        paths = [self.path] if isinstance(self.path, str) else list(self.path)
        return read_traces(paths, self.columns, task=self.task, model=self.model)


class ReplayEngine:
    """Gives each problem its samples in recorded order, one a request."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._codec = RecordedCodec(recording)
        self._num_given: Counter[str] = Counter()

    @property
    def facts(self) -> EngineFacts:
        """What is replayed, how it was sampled, and which token counts are not known."""
        sampling = self._recording.sampling
        return EngineFacts(
            name="replay",
            version="1",
            device="none",
            num_gpus=0,
            max_model_len=self._recording.max_model_len,
            startup_s=0.0,
            settings={
                "source": self._recording.source,
                "sampling": None if sampling is None else asdict(sampling),
                "unknown_tokens": self._recording.unknown_tokens,
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
        problem = self._codec.problem_of(request.prompt_ids)
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
            self._codec.sample(problem.id, number),
            sample.text,
            sample.finish,
            num_cached_tokens=sample.num_cached_tokens or 0,
            num_preemptions=sample.num_preemptions,
            num_drafts=sample.num_drafts,
            num_draft_tokens=sample.num_draft_tokens,
            num_accepted_tokens=sample.num_accepted_tokens,
            num_reread_tokens=sample.num_reread_tokens,
            num_pieces=sample.num_pieces,
            is_correct=sample.is_correct,
        )

    def stream(self, request: Request, *, every: int = 1) -> WholeStream:
        """Hand out a whole sample; NotRecorded for one to be watched: nobody recorded how a trace grew."""
        if every < request.max_tokens:
            raise NotRecorded("a recorded trace cannot be watched while it grows")
        return WholeStream(self.generate, request)

    def _check(self, request: Request, sample: Sample) -> None:
        recorded = self._recording.sampling
        if recorded is not None and request.sampling != recorded:
            raise NotRecorded(f"the samples were drawn with {recorded}, not with {request.sampling}")
        if request.num_logprobs is not None:
            raise NotRecorded("the log-probabilities of a sample are not recorded")
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
