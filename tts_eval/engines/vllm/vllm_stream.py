"""One sample of vLLM as it grows: looked at, and stopped without losing a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from vllm.outputs import RequestOutput

from tts_eval.engines.vllm.outputs import Growth
from tts_eval.records import Finish
from tts_eval.requests import Completion, EngineDied

ABORT_AGAIN_S = 0.05


class VllmStream:
    """One sample as it grows."""

    def __init__(
        self,
        outputs: AsyncGenerator[RequestOutput, None],
        growth: Growth,
        *,
        every: int,
        abort: Callable[[], Awaitable[None]],
    ) -> None:
        self._outputs = outputs
        self._growth = growth
        self._every = every
        self._abort = abort
        self._last: RequestOutput | None = None
        self._next: asyncio.Task[RequestOutput | None] | None = None

    async def __aiter__(self) -> AsyncIterator[Completion]:
        """Yield the sample at every look, and at its end."""
        num_seen = 0
        while (output := await self._taken()) is not None:
            if output.finished or len(self._growth.token_ids) - num_seen >= self._every:
                num_seen = len(self._growth.token_ids)
                yield self._growth.completion(output, is_last=output.finished)

    async def close(self) -> Completion:
        """Stop the sample where it stands and return all of it, tokens not looked at included."""
        if self._last is None and self._next is None:  # nobody has looked: the request has not been sent
            return Completion((), "", Finish.ABORT)
        with suppress(EngineDied):  # of a dead engine what has come is all that will
            await self._drained()
        await self._outputs.aclose()
        if self._last is None:
            return Completion((), "", Finish.ABORT)
        completion = self._growth.completion(self._last, is_last=True)
        return completion if completion.finish else replace(completion, finish=Finish.ABORT)

    async def _drained(self) -> None:
        """Abort the request until its last output has come."""
        while not (self._last is not None and self._last.finished):
            await self._abort()
            if self._next is not None:  # an abort may come before the engine has heard of the request
                await asyncio.wait({self._next}, timeout=ABORT_AGAIN_S)
            if (self._next is None or self._next.done()) and await self._taken() is None:
                break

    async def _taken(self) -> RequestOutput | None:
        """Take over the next output; None after the last one.

        A caller that is cancelled meanwhile leaves the request as it is: `close` gets what it has generated.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._waited_for())
        output = await asyncio.shield(self._next)
        self._next = None
        if output is not None:
            self._last = output
            self._growth.add(output)
        return output

    async def _waited_for(self) -> RequestOutput | None:
        return await anext(self._outputs, None)
