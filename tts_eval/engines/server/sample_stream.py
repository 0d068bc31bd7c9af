"""One sample drawn from a server: attempts until one comes to its end, each of them recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace

from tts_eval.engines.server.faults import Fault, sorted_faults
from tts_eval.engines.server.growth import Growth
from tts_eval.engines.server.replicas import Replica, Replicas
from tts_eval.engines.server.retrying import Attempts
from tts_eval.records import Finish
from tts_eval.requests import Completion, Request

Ask = Callable[[Replica, Request], tuple[Growth, AsyncIterator[bytes]]]


class ServerStream:
    """One sample as it grows.

    A task of its own reads it, so that a caller that is cancelled loses nothing of what has come. Until an
    attempt has come to its end another may follow. One that was torn after some of it had been looked at must
    draw the same again, as seeded and greedy samples do; else the sample fails.
    """

    def __init__(
        self, request: Request, replicas: Replicas, attempts: Attempts, ask: Ask, *, every: int
    ) -> None:
        self._request = request
        self._replicas = replicas
        self._attempts = attempts
        self._ask = ask
        self._every = every
        self._growth: Growth | None = None
        self._shown: tuple[int, ...] = ()
        self._news = asyncio.Event()
        self._drawing: asyncio.Task[None] | None = None

    async def __aiter__(self) -> AsyncIterator[Completion]:
        """Yield the sample at every look, and at its end."""
        self._drawing = asyncio.create_task(self._attempts.until_done(self._draw))
        self._drawing.add_done_callback(lambda _: self._news.set())
        while True:
            await self._news.wait()
            self._news.clear()
            if self._drawing.done():
                self._drawing.result()
                yield self._looked_at()
                return
            if self._growth and len(self._growth.token_ids) - len(self._shown) >= self._every:
                yield self._looked_at()

    async def close(self) -> Completion:
        """Stop the sample, at the server too, and return all of it that has come."""
        if self._drawing is not None and not self._drawing.done():
            self._drawing.cancel()
            await asyncio.wait({self._drawing})
        if self._drawing is not None and not self._drawing.cancelled():
            with suppress(Exception):  # was raised where the sample was looked at
                self._drawing.result()
        if self._growth is None:
            return Completion((), "", Finish.ABORT, failed=tuple(self._attempts.failed))
        completion = self._growth.completion(tuple(self._attempts.failed))
        return completion if completion.finish else replace(completion, finish=Finish.ABORT)

    def _looked_at(self) -> Completion:
        assert self._growth is not None
        completion = self._growth.completion(tuple(self._attempts.failed))
        if completion.token_ids[: len(self._shown)] != self._shown:
            raise RuntimeError(
                f"the stream of a sample was torn after {len(self._shown)} tokens that had been looked at, "
                "and the server did not draw the same ones again"
            )
        self._shown = completion.token_ids
        return completion

    async def _draw(self) -> None:
        """Make one attempt; Fault where it does not come to its end."""
        request = self._request
        async with self._replicas.leased(
            request.prompt_ids, len(request.prompt_ids) + request.max_tokens
        ) as replica:
            growth, events = self._ask(replica, request)
            self._growth = growth
            with self._attempts.timed(replica.url, growth), sorted_faults(replica.url):
                async for event in events:
                    growth.add(event)
                    if self._is_worth_a_look(growth):
                        self._news.set()
                if growth.finish is None:
                    raise Fault("the stream ended early")
            replica.num_calls += 1
            replica.num_generated_tokens += len(growth.token_ids)

    def _is_worth_a_look(self, growth: Growth) -> bool:
        return len(growth.token_ids) - len(self._shown) >= self._every
