"""An engine seen through a part of the prefix cache of its own.

A question that was asked before would find it in the cache; under another salt it is computed again, as it
was the first time, while prefixes that requests of one salt share are still shared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tts_eval.engines.protocol import AnyEngine, Engine, ReadingEngine, SampleStream
from tts_eval.requests import Completion, EngineFacts, Gauges, Pooled, PoolingRequest, Request


@dataclass(frozen=True)
class SaltedEngine:
    """An engine all of whose requests carry `salt`."""

    engine: AnyEngine
    salt: str

    @property
    def facts(self) -> EngineFacts:
        """What is fixed while the engine runs."""
        return self.engine.facts

    def gauges(self) -> Gauges:
        """Return the engine's levels and counters now."""
        return self.engine.gauges()

    async def forget(self) -> None:
        """Empty the prefix cache, that of all salts."""
        await self.engine.forget()

    async def generate(self, request: Request) -> Completion:
        """Draw one sample to its end."""
        assert isinstance(self.engine, Engine), "the cell was checked"
        return await self.engine.generate(replace(request, cache_salt=self.salt))

    def stream(self, request: Request, *, every: int = 1) -> SampleStream:
        """Draw one sample, to be looked at whenever it has grown by `every` tokens."""
        assert isinstance(self.engine, Engine), "the cell was checked"
        return self.engine.stream(replace(request, cache_salt=self.salt), every=every)

    async def pool(self, request: PoolingRequest) -> Pooled:
        """Return the logits of a reward model's head."""
        assert isinstance(self.engine, ReadingEngine), "the cell was checked"
        return await self.engine.pool(replace(request, cache_salt=self.salt))
