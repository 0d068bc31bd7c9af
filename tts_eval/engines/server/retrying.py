"""Trying again (tenacity): which failures, for how long, with which waits, and a record of each attempt."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_before_delay

from tts_eval.engines.server.faults import Fault, wait_s
from tts_eval.engines.server.growth import Growth
from tts_eval.requests import EngineDied
from tts_eval.spend import FailedAttempt

T = TypeVar("T")


class Attempts:
    """The attempts of one call; a server that fails for `retry_for_s`, or asks to wait so long, is dead."""

    def __init__(self, retry_for_s: float) -> None:
        self.failed: list[FailedAttempt] = []
        self._retry_for_s = retry_for_s
        self._draw = random.Random()

    async def until_done(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what the first attempt gives that succeeds; raises EngineDied where none does in time."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Fault),
            stop=stop_before_delay(self._retry_for_s),
            wait=self._wait_s,
            reraise=True,
        )
        try:
            done: T = await retrying(attempt)
            return done
        except Fault as fault:
            url, number = self.failed[-1].url, len(self.failed)
            raise EngineDied(f"{url}: {number} attempts at one request failed; the last: {fault}") from None

    @contextmanager
    def timed(self, url: str, grown: Growth | None = None) -> Iterator[None]:
        """Record the attempt within, if it fails."""
        began_s = time.monotonic()
        try:
            yield
        except Fault as fault:
            num_tokens = 0 if grown is None else len(grown.token_ids)
            lasted_s = time.monotonic() - began_s
            self.failed.append(FailedAttempt(url, str(fault), lasted_s, 0.0, num_tokens))
            raise

    def _wait_s(self, state: RetryCallState) -> float:
        fault = None if state.outcome is None else state.outcome.exception()
        waited_s = wait_s(fault, state.attempt_number, self._draw)
        self.failed[-1] = replace(self.failed[-1], waited_s=waited_s)
        return waited_s
