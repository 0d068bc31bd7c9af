"""What serves a model: engines as configured and as they run, and what some of them can do besides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

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


class SampleStream(Protocol):
    """One sample as it grows."""

    def __aiter__(self) -> AsyncIterator[Completion]:
        """Yield the sample at every look, and at its end."""

    async def close(self) -> Completion:
        """Stop the sample where it stands and return all of it, tokens not looked at included."""


class Engine(Protocol):
    """A running engine: token ids in, token ids out."""

    @property
    def facts(self) -> EngineFacts:
        """What is fixed while it runs."""

    def gauges(self) -> Gauges:
        """Return its levels and counters now."""

    async def forget(self) -> None:
        """Empty the prefix cache, so that one run gains nothing from another."""

    async def generate(self, request: Request) -> Completion:
        """Draw one sample to its end; EngineDied if there is no engine any more."""

    def stream(self, request: Request, *, every: int = 1) -> SampleStream:
        """Draw one sample, to be looked at whenever it has grown by `every` tokens."""


@runtime_checkable
class PoolingEngine(Protocol):
    """A running engine whose model reads and does not write."""

    async def pool(self, request: PoolingRequest) -> Pooled:
        """Return the head's logits; EngineDied if there is no engine any more."""


class EngineSettings(Protocol):
    """An engine as configured: equal settings (and model) share one running engine."""

    @property
    def num_gpus(self) -> int:
        """How many GPUs it holds."""

    def check(self, model: Model) -> None:
        """Reject with a ValueError what cannot run, before anything is loaded."""

    def model_len(self, model: Model) -> int:
        """Return the longest prompt plus generation, in tokens."""

    def start(self, model: Model) -> AbstractAsyncContextManager[Engine]:
        """Start the engine; leaving the context stops every process of it."""


@runtime_checkable
class DraftsTokens(Protocol):
    """Engine settings that can speculate."""

    def drafting(self, model: Model) -> Drafting | None:
        """Return what drafts tokens for `model` inside the engine, None where nothing does."""


@runtime_checkable
class LimitsLogprobs(Protocol):
    """Engine settings that give only so many log-probabilities a token."""

    @property
    def max_num_logprobs(self) -> int:
        """The most that a request may ask for."""


@runtime_checkable
class EndsThinking(Protocol):
    """Engine settings that may have the engine itself end a model's thinking."""

    @property
    def ends_thinking(self) -> bool:
        """Whether a request may cap its thinking."""


@runtime_checkable
class MayRunOnCpu(Protocol):
    """Engine settings that may do without a GPU: then all engines of a cell share one machine."""

    @property
    def is_on_cpu(self) -> bool:
        """Whether it runs on the machine's processors."""


@runtime_checkable
class PlacedOnGpus(Protocol):
    """Engine settings that can be told to leave the first GPUs to other engines."""

    @property
    def memory_share(self) -> float:
        """Which share of its GPUs' memory it takes; 0 where there is none to share."""

    def placed(self, first_gpu: int) -> EngineSettings:
        """Return the settings on the GPUs from number `first_gpu` on."""

    @property
    def states_memory_share(self) -> bool:
        """Whether the share is the user's own, and not a default."""

    def with_memory_share(self, share: float) -> EngineSettings:
        """Return the settings with a share of the GPUs' memory."""


@runtime_checkable
class Replays(Protocol):
    """Engine settings that hand out recorded samples: the rest of the cell is what was recorded."""

    def parts(self) -> Mapping[str, Any]:
        """Return the recorded `model`, `task` and `verifier` (None where no scores were recorded)."""

    def codec(self) -> Any:
        """Return what stands in for the model's tokenizer."""

    @property
    def architecture(self) -> Mapping[str, Any] | None:
        """The model's configuration, None where FLOPs cannot be counted from it."""

    @property
    def role_architectures(self) -> Mapping[str, Any]:
        """Those of the recorded models beside the policy, by role."""

    @property
    def recorded_drafting(self) -> Mapping[str, Any] | None:
        """What drafted inside the recorded engine, as in the manifest; None where nothing did."""

    @property
    def fingerprint(self) -> str | None:
        """That of the problems as they were asked, None where it is not known."""

    @property
    def num_samples(self) -> int:
        """How many samples every problem has."""
