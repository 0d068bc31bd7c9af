"""A sample as a stream that shows nothing before its end, for engines that hand out whole samples."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from tts_eval.records import Finish
from tts_eval.requests import Completion, Request


class WholeStream:
    """One sample, seen once: at its end."""

    def __init__(self, generate: Callable[[Request], Awaitable[Completion]], request: Request) -> None:
        self._generate = generate
        self._request = request
        self._whole: Completion | None = None

    async def __aiter__(self) -> AsyncIterator[Completion]:
        """Yield the sample."""
        self._whole = await self._generate(self._request)
        yield self._whole

    async def close(self) -> Completion:
        """Return the sample; nothing, if it has not been drawn."""
        return self._whole or Completion((), "", Finish.ABORT)
