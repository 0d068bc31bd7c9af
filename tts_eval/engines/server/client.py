"""The HTTP client of one server: bounded responses, a key from the environment, no proxy unasked."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from tts_eval.engines.server.faults import Fault, Rejected, sorted_faults

NO_KEY = "EMPTY"  # what vLLM's clients send where there is none; else the library would take OPENAI_API_KEY
MAX_RESPONSE_BYTES = 256 * 2**20
CONNECT_TIMEOUT_S = 10.0
RAW = {"X-Stainless-Raw-Response": "stream"}  # the library hands the response over unread


def api_key(name: str | None) -> str:
    """Return the key in the environment variable `name`; ValueError where it is not set."""
    if name is None:
        return NO_KEY
    key = os.environ.get(name, "")
    if not key:
        raise ValueError(f"engine.api_key_env={name}: no such environment variable is set")
    return key


def root_of(url: str) -> str:
    """Return the server's root, under which vLLM has what is not OpenAI's (/metrics, /pooling)."""
    return url.rstrip("/").removesuffix("/v1")


class Client:
    """One base URL."""

    def __init__(self, url: str, *, key: str, stall_s: float, trust_env: bool) -> None:
        self.url = url.rstrip("/")
        timeout = httpx2.Timeout(stall_s, connect=CONNECT_TIMEOUT_S, pool=None)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=256)
        self._openai = AsyncOpenAI(
            base_url=self.url,
            api_key=key,
            max_retries=0,  # ours are recorded
            timeout=timeout,
            http_client=DefaultAsyncHttpxClient(
                timeout=timeout, limits=limits, trust_env=trust_env, follow_redirects=False
            ),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._openai.close()

    async def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Return the whole response to `body`; Fault or Rejected where there is none."""
        async with self._response(path, body) as response:
            return b"".join([part async for part in self._bounded(response.iter_bytes())])

    async def events(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """Yield the data of each server-sent event but for the last, [DONE]; Fault where it is torn."""
        async with self._response(path, body) as response:
            yield b""  # the headers have come: the first byte
            lines = (line.encode() async for line in response.iter_lines())
            async for line in self._bounded(lines):
                if line.startswith(b"data:"):
                    data = line[5:].strip()
                    if data == b"[DONE]":
                        return
                    yield data
        raise Fault("the stream ended early")

    @asynccontextmanager
    async def _response(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[Any]:
        with sorted_faults(self.url):
            response: Any = await self._openai.post(path, body=body, cast_to=object, options={"headers": RAW})
            try:
                yield response
            finally:
                await response.close()  # of an unfinished one: the server aborts it

    async def _bounded(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        num_bytes = 0
        async for part in parts:
            num_bytes += len(part)
            if num_bytes > MAX_RESPONSE_BYTES:
                raise Rejected(f"{self.url}: a response of more than {MAX_RESPONSE_BYTES} bytes")
            yield part
