"""A running engine behind one or several servers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx2
import msgspec

from tts_eval.engines.server.chat import ChatGrowth, chat_body, check_text_only
from tts_eval.engines.server.chat_codec import ChatCodec
from tts_eval.engines.server.client import root_of
from tts_eval.engines.server.completions import TokenGrowth, completion_body
from tts_eval.engines.server.faults import Fault, sorted_faults
from tts_eval.engines.server.growth import Growth
from tts_eval.engines.server.metrics import added, gauges_of
from tts_eval.engines.server.probing import Probed
from tts_eval.engines.server.replicas import Replica, Replicas
from tts_eval.engines.server.retrying import Attempts
from tts_eval.engines.server.sample_stream import ServerStream
from tts_eval.requests import Completion, EngineFacts, Gauges, Pooled, PoolingRequest, Request

GAUGE_INTERVAL_S = 0.25
METRICS_TIMEOUT_S = 2.0


class _Data(msgspec.Struct):
    data: list[list[float]]


class _PoolingAnswer(msgspec.Struct):
    data: list[_Data]


POOLED = msgspec.json.Decoder(_PoolingAnswer)


class RunningServer:
    """The handle on the servers of one engine; `probed` says what each of them can do.

    With `chat` whole samples of text are drawn, else token ids.
    """

    def __init__(
        self,
        replicas: Replicas,
        probed: tuple[Probed, ...],
        *,
        facts: EngineFacts,
        retry_for_s: float,
        priorities: bool,
        trust_env: bool,
        chat: ChatCodec | None = None,
    ) -> None:
        self._replicas = replicas
        self._probed = {each.url: each for each in probed}
        self._facts = facts
        self._retry_for_s = retry_for_s
        self._priorities = priorities
        self._chat = chat
        self._continues = all(each.continues_messages for each in probed)
        self._salt: str | None = None
        self._newest = Gauges()
        self._watching: asyncio.Task[None] | None = None
        self._http = httpx2.Client(timeout=METRICS_TIMEOUT_S, trust_env=trust_env)

    @property
    def facts(self) -> EngineFacts:
        """What is fixed while it runs, as probed."""
        return self._facts

    def gauges(self) -> Gauges:
        """Return levels and counters of all servers; read again only while no request is in flight."""
        if self._facts.has_gauges and not any(r.outstanding_tokens for r in self._replicas.replicas):
            with suppress(httpx2.HTTPError):  # a replica is down: what was read last
                self._newest = added([gauges_of(self._http.get(url).text) for url in self._metrics_urls])
        return self._newest

    async def watch(self) -> None:
        """Read the gauges from now on, several times a second."""
        if self._facts.has_gauges:
            self._watching = asyncio.create_task(self._read_on())

    async def close(self) -> None:
        """Close all connections; the servers run on."""
        if self._watching is not None:
            self._watching.cancel()
        self._http.close()
        for replica in self._replicas.replicas:
            await replica.client.close()

    async def forget(self) -> None:
        """Use another part of the prefix caches: what other runs have left there is not found."""
        self._salt = uuid.uuid4().hex

    async def generate(self, request: Request) -> Completion:
        """Draw one sample to its end."""
        stream = self.stream(request, every=request.max_tokens)
        try:
            [*_, completion] = [look async for look in stream]
        finally:
            await stream.close()
        return completion

    def stream(self, request: Request, *, every: int = 1) -> ServerStream:
        """Draw one sample, to be looked at whenever it has grown by `every` tokens."""
        if self._chat is not None:  # budgets look at samples too, and are content to see them at their end
            check_text_only(request, every=request.max_tokens, codec=self._chat, continues=self._continues)
        return ServerStream(request, self._replicas, Attempts(self._retry_for_s), self._ask, every=every)

    async def pool(self, request: PoolingRequest) -> Pooled:
        """Return the head's logits at every token."""
        attempts = Attempts(self._retry_for_s)

        async def attempt() -> Pooled:
            ids = request.token_ids
            async with self._replicas.leased(ids, len(ids)) as replica:
                with attempts.timed(replica.url), sorted_faults(replica.url):
                    body = self._pooling_body(request, self._probed[replica.url].served_model)
                    answer = await replica.client.post(f"{root_of(replica.url)}/pooling", body)
                    rows = tuple(map(tuple, POOLED.decode(answer).data[0].data))
                    if len(rows) != len(ids):
                        raise Fault(f"{len(rows)} rows for {len(ids)} tokens")
                replica.num_calls += 1
                return Pooled(rows, url=replica.url, failed=tuple(attempts.failed))

        return await attempts.until_done(attempt)

    def _ask(self, replica: Replica, request: Request) -> tuple[Growth, AsyncIterator[bytes]]:
        model = self._probed[replica.url].served_model
        if self._chat is not None:
            body = chat_body(request, model, self._chat)
            return ChatGrowth(request, replica.url), replica.client.events("/chat/completions", body)
        body = completion_body(
            request,
            model,
            cache_salt=self._salted(request.cache_salt),
            priorities=self._priorities,
        )
        return TokenGrowth(request, replica.url), replica.client.events("/completions", body)

    def _pooling_body(self, request: PoolingRequest, model: str) -> dict[str, object]:
        salt = self._salted(request.cache_salt)
        return {
            "model": model,
            "input": list(request.token_ids),
            "task": "token_classify",
            "use_activation": False,
            "add_special_tokens": False,
            **({} if salt is None else {"cache_salt": salt}),
        }

    def _salted(self, salt: str | None) -> str | None:
        return "-".join(part for part in (self._salt, salt) if part) or None

    @property
    def _metrics_urls(self) -> list[str]:
        return [f"{root_of(replica.url)}/metrics" for replica in self._replicas.replicas]

    async def _read_on(self) -> None:
        async with httpx2.AsyncClient(timeout=METRICS_TIMEOUT_S, trust_env=False) as http:
            while True:
                await asyncio.sleep(GAUGE_INTERVAL_S)
                try:
                    pages = await asyncio.gather(*(http.get(url) for url in self._metrics_urls))
                except httpx2.HTTPError:
                    continue
                self._newest = added([gauges_of(page.text) for page in pages])
