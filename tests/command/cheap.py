"""What makes a run of the whole program cheap: an engine without weights; and a strategy that raises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tts_eval.engines.protocol import EngineSettings
from tts_eval.llm.tokenizer import Codec
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Finish, Problem
from tts_eval.requests import Completion, EngineFacts, Gauges, Request, Timing


@dataclass(frozen=True)
class Parrot(EngineSettings):
    """Says the same to every question, `delay_s` after it was asked; `echo` tells two of them apart."""

    delay_s: float = 0.0
    echo: Any = None
    num_gpus: int = 1

    def check(self, model: Model) -> None:
        pass

    def model_len(self, model: Model) -> int:
        return 1000

    @asynccontextmanager
    async def start(self, model: Model) -> AsyncIterator[RunningParrot]:
        yield RunningParrot(Codec(model), self.delay_s)


class RunningParrot:
    """The engine that a parrot starts."""

    def __init__(self, codec: Codec, delay_s: float) -> None:
        self._ids, self._delay_s, self._num_tokens = codec.encode("1</think>1"), delay_s, 0
        self._text = codec.decode(self._ids)

    @property
    def facts(self) -> EngineFacts:
        return EngineFacts("parrot", "0", "cpu", 1, 1000, startup_s=0.5)

    def gauges(self) -> Gauges:
        return Gauges(num_generated_tokens=self._num_tokens)

    async def forget(self) -> None:
        pass

    async def generate(self, request: Request) -> Completion:
        await asyncio.sleep(self._delay_s)
        self._num_tokens += len(self._ids)
        timing = Timing(first_token_s=0.0, queue_s=0.0, prefill_s=0.0, decode_s=0.0)
        return Completion(self._ids, self._text, Finish.END, timing=timing)

    def stream(self, request: Request, *, every: int = 1) -> ParrotStream:
        return ParrotStream(self, request)


@dataclass
class ParrotStream:
    """What a parrot says, whole or not at all."""

    engine: RunningParrot
    request: Request
    said: Completion = field(default_factory=lambda: Completion((), "", Finish.ABORT, timing=Timing()))

    async def __aiter__(self) -> AsyncIterator[Completion]:
        self.said = await self.engine.generate(self.request)
        yield self.said

    async def close(self) -> Completion:
        return self.said


@dataclass(frozen=True)
class Failing(Strategy):
    """Finds nothing in an empty list."""

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        await llm.extend(llm.start(problem))
        return Attempt([][1], ())
