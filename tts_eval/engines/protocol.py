"""The engine contract: what serves a model, as configured and as it runs, and what it can do.

`EngineSettings` is the base of every engine. A new one states its `capabilities`, `model_len` and `start`,
and overrides the `with_...` method of each thing it can do; what is not overridden is rejected in one line
before anything starts. Engines that draw samples run as an `Engine`, those that read reward models as a
`ReadingEngine`; vLLM runs as both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, Self, runtime_checkable

from tts_eval.model import Model
from tts_eval.requests import Completion, EngineFacts, Gauges, Pooled, PoolingRequest, Request


class Drafter(StrEnum):
    """What a draft is made by."""

    LOOKUP = "lookup"  # earlier text: no forward pass
    MODEL = "model"  # a model by itself
    LAYERS = "layers"  # a head or layers that read the model's hidden states


@dataclass(frozen=True, slots=True)
class Drafting:
    """How an engine drafts, `num_tokens` at once; `model` is known for a model by itself alone."""

    drafter: Drafter
    num_tokens: int
    model: Model | None = None


@dataclass(frozen=True, slots=True)
class RecordedDrafting:
    """How an engine drafted, as a manifest keeps it: a model by itself by its configuration alone.

    `architecture` is None where FLOPs cannot be counted from it, or where nothing of the kind drafts.
    """

    drafter: Drafter
    num_speculative_tokens: int
    architecture: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine can do, checked against what a run needs of it before anything starts.

    `samples` draws samples, `reads` gives the logits of a reward model's head. With `token_ids` prompts and
    samples are token ids and any trace can be continued; without, whole samples of text alone are drawn.
    `streams` shows a sample while it grows, `aborts` stops one and frees its place. `max_num_logprobs` is the
    most log-probabilities a token; None gives none, 0 the token's own. `ends_thinking` caps the thinking
    itself. `gauges` says that load, caches and counters can be read.
    """

    samples: bool = True
    reads: bool = False
    token_ids: bool = True
    streams: bool = True
    aborts: bool = True
    max_num_logprobs: int | None = None
    ends_thinking: bool = False
    priorities: bool = False
    speculation: bool = False
    gauges: bool = True


class SampleStream(Protocol):
    """One sample as it grows."""

    def __aiter__(self) -> AsyncIterator[Completion]:
        """Yield the sample at every look, and at its end."""

    async def close(self) -> Completion:
        """Stop the sample where it is and return all of it, tokens not looked at included."""


class RunningEngine(Protocol):
    """What every running engine has, whether it draws samples or reads."""

    @property
    def facts(self) -> EngineFacts:
        """What is fixed while it runs."""

    def gauges(self) -> Gauges:
        """Return its levels and counters now."""

    async def forget(self) -> None:
        """Empty the prefix cache, so that one run gains nothing from another."""


@runtime_checkable
class Engine(RunningEngine, Protocol):
    """A running engine that draws samples: token ids in, token ids out."""

    async def generate(self, request: Request) -> Completion:
        """Draw one sample to its end; EngineDied if there is no engine any more."""

    def stream(self, request: Request, *, every: int = 1) -> SampleStream:
        """Draw one sample, to be looked at whenever it has grown by `every` tokens."""


@runtime_checkable
class ReadingEngine(RunningEngine, Protocol):
    """A running engine whose model reads and does not write: token ids in, logits out."""

    async def pool(self, request: PoolingRequest) -> Pooled:
        """Return the head's logits; EngineDied if there is no engine any more."""


AnyEngine = Engine | ReadingEngine


class EngineSettings:
    """An engine as configured: equal settings (and model) share one running engine.

    A frozen dataclass whose fields are those of its `conf/engine/*.yaml`.

    Attributes:
        label_tokens: the tokens whose rows of lm_head are the labels where it reads a language model as a
            classifier; none where it does not, or where the model has a head.
    """

    label_tokens: Sequence[str] = ()

    @property
    def label(self) -> str:
        """What messages call it: its option in `conf/engine/`."""
        return type(self).__name__

    @property
    def capabilities(self) -> Capabilities:
        """What it can do as configured."""
        return Capabilities()

    @property
    def num_gpus(self) -> int:
        """How many GPUs it holds; a machine without any counts as one."""
        return 1

    @property
    def is_on_cpu(self) -> bool:
        """Whether it runs on the machine's processors: then all engines of a cell share one machine."""
        return False

    @property
    def memory_share(self) -> float:
        """Which share of its GPUs' memory it takes; 0 where there is none to share."""
        return 0.0

    @property
    def states_memory_share(self) -> bool:
        """Whether that share is the user's own, and not a default."""
        return False

    def check(self, model: Model) -> None:
        """Raise ValueError for what cannot run, before anything is loaded."""

    def model_len(self, model: Model) -> int:
        """Return the longest prompt plus generation, in tokens."""
        raise NotImplementedError

    def start(self, model: Model) -> AbstractAsyncContextManager[AnyEngine]:
        """Start the engine; leaving the context stops every process of it."""
        raise NotImplementedError

    def with_speculation(self, speculation: Mapping[str, Any]) -> Self:
        """Return the engine drafting tokens as `speculation` (an option of `conf/speculation/`) says."""
        raise ValueError(self._cannot("draft tokens: give speculation=none"))

    def with_priority(self) -> Self:
        """Return the engine serving requests of a lower priority first."""
        raise ValueError(self._cannot("serve by priority: give scheduling.priority=null"))

    def with_threads(self, num_threads: int) -> Self:
        """Return the engine on `num_threads` processor threads a worker."""
        raise ValueError(self._cannot("be limited to a number of threads: leave it out"))

    def with_memory_share(self, share: float) -> Self:
        """Return the engine with a share of its GPUs' memory; one that holds none is as it was."""
        return self

    def placed(self, first_gpu: int) -> Self:
        """Return the engine on the GPUs from number `first_gpu` on; one that holds none is as it was."""
        return self

    def text_codec(self, model: Model) -> Any:
        """Return what serves as the tokenizer of `model` where text alone goes in and out, else None."""
        return None

    def rehearsal(self, model: Model) -> Engine | None:
        """Return an engine that raises for what this one cannot give; None where it can give everything.

        Before anything starts, a strategy solves one problem on it.
        """
        return None

    def drafting(self, model: Model) -> Drafting | None:
        """Return what drafts tokens for `model` inside the engine, None where nothing does."""
        return None

    def check_samples(self, role: str) -> None:
        """Raise ValueError where the model of `role` has to write and this engine only reads."""
        if not self.capabilities.samples:
            place = "engine" if role == "policy" else f"engine@roles.{role}.engine"
            raise ValueError(
                f"engine={self.label} reads reward models and draws no samples: give {place}=vllm"
            )

    def _cannot(self, what: str) -> str:
        return f"engine={self.label} cannot {what}, or engine=vllm"


@runtime_checkable
class Replays(Protocol):
    """Engine settings that hand out recorded samples: the rest of the cell is what was recorded."""

    def parts(self) -> Mapping[str, Any]:
        """Return the recorded `model`, `task` and `verifier` (None where no scores were recorded)."""

    def codec(self) -> Any:
        """Return what serves as the model's tokenizer."""

    @property
    def architecture(self) -> Mapping[str, Any] | None:
        """The model's configuration, None where FLOPs cannot be counted from it."""

    @property
    def role_architectures(self) -> Mapping[str, Any]:
        """Those of the recorded models beside the policy, by role."""

    @property
    def recorded_drafting(self) -> RecordedDrafting | None:
        """What drafted inside the recorded engine, as in the manifest; None where nothing did."""

    @property
    def fingerprint(self) -> str | None:
        """That of the problems as they were asked, None where it is not known."""

    @property
    def num_samples(self) -> int:
        """How many samples every problem has."""
