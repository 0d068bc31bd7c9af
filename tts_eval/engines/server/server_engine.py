"""Servers that speak OpenAI's protocol, as an engine: what is configured, probed and checked."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from tts_eval import checks
from tts_eval.engines.protocol import Capabilities, EngineSettings
from tts_eval.model import Model
from tts_eval.requests import EngineFacts

if TYPE_CHECKING:
    from tts_eval.engines.protocol import Engine
    from tts_eval.engines.server.chat_codec import ChatCodec
    from tts_eval.engines.server.engine import RunningServer
    from tts_eval.engines.server.probing import Probed

SAMPLE_TEXT = "2 + 3 * 4 = 14"


@dataclass(frozen=True)
class ServerEngine(EngineSettings):
    """One model behind one or several base URLs (http://HOST:PORT/v1), which serve it alike.

    `served_model` is what the servers call it, None where each serves one model alone. The key is in the
    environment variable `api_key_env`. `num_gpus` GPUs are priced by `hardware`; 0 or null: not known, and
    dollars are null but those of `model.api_price`. A response without a byte for `stall_s` is given up; a
    request is tried again for `retry_for_s`. With `affinity` requests go where their prefix is cached.
    Proxies and certificates of the environment count only with `trust_env`.
    """

    urls: Sequence[str] = ()
    served_model: str | None = None
    api_key_env: str | None = None
    num_gpus: int = 0
    max_model_len: int | None = None
    affinity: bool = True
    stall_s: float = 600.0
    retry_for_s: float = 300.0
    trust_env: bool = False
    priorities: bool = False

    def __post_init__(self) -> None:
        urls = (self.urls,) if isinstance(self.urls, str) else tuple(self.urls)
        object.__setattr__(self, "urls", tuple(url.rstrip("/") for url in urls))
        if not urls:
            raise ValueError("engine.urls must be given: engine.urls=[http://127.0.0.1:8000/v1]")
        for url in self.urls:
            _check_url(url)
        if len(set(self.urls)) < len(self.urls):
            raise ValueError(f"engine.urls holds one server twice: {', '.join(self.urls)}")
        object.__setattr__(self, "num_gpus", 0 if self.num_gpus is None else self.num_gpus)
        checks.whole_number("engine.num_gpus", self.num_gpus, minimum=0)
        checks.optional_whole_number("engine.max_model_len", self.max_model_len, minimum=1)
        checks.number("engine.stall_s", self.stall_s, minimum=0.1)
        checks.number("engine.retry_for_s", self.retry_for_s, minimum=0)
        for name in ("affinity", "trust_env", "priorities"):
            checks.one_of(f"engine.{name}", getattr(self, name), (True, False))

    @property
    def label(self) -> str:
        """What messages call it."""
        return "server"

    @cached_property
    def probed(self) -> tuple[Probed, ...]:
        """What each server was found to do; ValueError where one does not answer or they differ."""
        from tts_eval.engines.server.client import api_key
        from tts_eval.engines.server.probing import Prober

        key = api_key(self.api_key_env)
        found = tuple(
            Prober(url, key=key, trust_env=self.trust_env).probe(self.served_model) for url in self.urls
        )
        for other in found[1:]:
            if replace(other, url=found[0].url) != found[0]:
                raise ValueError(f"engine.urls: {found[0].url} and {other.url} do not serve the same alike")
        return found

    @cached_property
    def capabilities(self) -> Capabilities:
        """What all of the servers can do, as probed."""
        first = self.probed[0]
        return Capabilities(
            samples=first.takes_ids or first.chats,
            reads=first.reads,
            token_ids=first.takes_ids and first.returns_ids,
            max_num_logprobs=first.max_num_logprobs,
            priorities=first.accepts_priorities,
            gauges=first.gauges,
        )

    def check(self, model: Model) -> None:
        """Raise ValueError where the servers do not answer, tokenize otherwise, or lack what is needed."""
        first = self.probed[0]
        if first.takes_ids and not first.returns_ids:
            raise ValueError(
                f"engine.urls: {first.url} takes token ids but gives none back (return_token_ids); "
                "give a server that does, such as vLLM's"
            )
        if first.chats and not first.counts_tokens:
            raise ValueError(f"engine.urls: {first.url} does not count the tokens of its answers (usage)")
        if self.priorities and not first.accepts_priorities:
            raise ValueError(
                f"engine.urls: {first.url} does not serve by priority: start it with "
                "--scheduling-policy priority, or give scheduling.priority=null"
            )
        self.model_len(model)
        self._check_tokenizer(model)

    def model_len(self, model: Model) -> int:
        """Return the longest prompt plus generation, in tokens: the least of those stated."""
        told = (self.max_model_len, model.max_model_len, *(each.max_model_len for each in self.probed))
        known = [length for length in told if length is not None]
        if not known:
            raise ValueError("the server does not state its length: give engine.max_model_len=...")
        return min(known)

    def with_priority(self) -> Self:
        """Return the engine asking for priorities; `check` finds out whether the servers keep to them."""
        return replace(self, priorities=True)

    def text_codec(self, model: Model) -> ChatCodec | None:
        """Return what serves as the tokenizer where the servers take no token ids."""
        if not self.probed[0].chats:
            return None
        from tts_eval.engines.server.chat_codec import ChatCodec

        return ChatCodec(model)

    def rehearsal(self, model: Model) -> Engine | None:
        """Return an engine that raises for what the servers cannot give; None where they take token ids."""
        from tts_eval.engines.server.chat import RehearsalEngine

        codec, first = self.text_codec(model), self.probed[0]
        if codec is None:
            return None
        facts = self._facts(model, time.monotonic())
        return RehearsalEngine(codec, facts, continues=first.continues_messages)

    def _facts(self, model: Model, began_s: float) -> EngineFacts:
        """Return what is fixed while the servers run, as probed."""
        return EngineFacts(
            name="server",
            version=self.probed[0].version or "unknown",
            device="server",
            num_gpus=self.num_gpus,
            max_model_len=self.model_len(model),
            startup_s=time.monotonic() - began_s,
            is_seeded=self.probed[0].repeats_seeds,
            has_gauges=self.capabilities.gauges,
            settings={"servers": [asdict(each) for each in self.probed]},
        )

    @asynccontextmanager
    async def start(self, model: Model) -> AsyncIterator[RunningServer]:
        """Open connections to the servers, and close them; the servers themselves run on."""
        from tts_eval.engines.server.client import Client, api_key
        from tts_eval.engines.server.engine import RunningServer
        from tts_eval.engines.server.replicas import Replica, Replicas

        began_s, key, probed = time.monotonic(), api_key(self.api_key_env), self.probed
        clients = [Client(url, key=key, stall_s=self.stall_s, trust_env=self.trust_env) for url in self.urls]
        engine = RunningServer(
            Replicas([Replica(client) for client in clients], has_affinity=self.affinity),
            probed,
            facts=self._facts(model, began_s),
            retry_for_s=self.retry_for_s,
            priorities=self.priorities,
            trust_env=self.trust_env,
            chat=self.text_codec(model),
        )
        try:
            await engine.watch()
            yield engine
        finally:
            await engine.close()

    def _check_tokenizer(self, model: Model) -> None:
        """Raise ValueError where a server turns text into other ids than the tokenizer of `model`."""
        first = self.probed[0]
        if not first.tokenizes:
            return
        from transformers import AutoTokenizer

        from tts_eval.engines.server.client import api_key
        from tts_eval.engines.server.probing import Prober

        ours = model.load(AutoTokenizer, "tokenizer").encode(SAMPLE_TEXT, add_special_tokens=False)
        prober = Prober(first.url, key=api_key(self.api_key_env), trust_env=self.trust_env)
        theirs = prober.tokenized(first.served_model, SAMPLE_TEXT)
        if theirs is not None and theirs != ours:
            raise ValueError(
                f"{first.url} serves {first.served_model}, which tokenizes otherwise than "
                f"model={model.name}: give the model that is served"
            )


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"engine.urls must hold base URLs such as http://127.0.0.1:8000/v1, not {url!r}")
    if parts.username or parts.password or parts.query:
        raise ValueError("engine.urls must not hold a key: give engine.api_key_env=NAME")
