"""A scripted server in this process, and a proxy that spoils what a real one answers."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(app: Any, port: int | None = None) -> AsyncIterator[str]:
    """Serve `app` on loopback and yield its base URL."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        server.force_exit = True
        await running


@dataclass
class StubServer:
    """Takes and returns token ids: continues a prompt with its last id + 1, + 2, and so on.

    `spoil` may answer a request in place of the server, or return how many events of a stream to send.
    """

    key: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    num_tokens: int = 0
    spoil: Callable[[int], Response | int | None] = lambda number: None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    gap_s: float = 0.0

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self.models),
                Route("/metrics", self.metrics),
                Route("/v1/completions", self.completions, methods=["POST"]),
            ]
        )

    async def models(self, request: Request) -> Response:
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return JSONResponse({"error": {"message": "no such key", "code": 401}}, 401)
        return JSONResponse({"data": [{"id": "stub", "max_model_len": 1000}]})

    async def metrics(self, request: Request) -> Response:
        return PlainTextResponse(
            f'vllm:generation_tokens_total{{engine="0"}} {self.num_tokens}.0\n'
            f'vllm:iteration_tokens_total_count{{engine="0"}} {self.num_tokens}.0\n'
        )

    async def completions(self, request: Request) -> Response:
        body = await request.json()
        if body.get("priority"):
            return JSONResponse({"error": {"message": "no priorities here", "code": 400}}, 400)
        if not body.get("stream"):
            choice = {"text": "x", "token_ids": [2], "finish_reason": "length", "logprobs": None}
            usage = {"prompt_tokens": 1, "completion_tokens": 1}
            return JSONResponse({"choices": [choice], "usage": usage})
        self.bodies.append(body)
        self.counts["asked"] += 1
        spoilt = self.spoil(self.counts["asked"])
        if isinstance(spoilt, Response):
            return spoilt
        return StreamingResponse(self.events(body, spoilt), media_type="text/event-stream")

    async def events(self, body: dict[str, Any], num_events: int | None) -> AsyncIterator[bytes]:
        first, number = body["prompt"][-1] + 1, body["max_tokens"]
        for place in range(number):
            if place == num_events:
                return
            await asyncio.sleep(self.gap_s)
            choice = {
                "text": f" {first + place}",
                "token_ids": [first + place],
                "finish_reason": "length" if place == number - 1 else None,
            }
            self.num_tokens += 1
            yield b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"
        usage = {"prompt_tokens": len(body["prompt"]), "completion_tokens": number}
        yield b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"


@dataclass
class FaultProxy:
    """Passes requests on to `target`, and spoils some by chance, each in one of many ways."""

    target: str
    share: float
    stall_s: float
    draw: random.Random = field(default_factory=lambda: random.Random(0))
    faults: Counter[str] = field(default_factory=Counter)

    KINDS = ("429", "429 later", "500", "reset", "stall", "truncated", "garbage")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        import httpx2

        request = Request(scope, receive)
        body = await request.body()
        is_sample = b'"stream":true' in body.replace(b" ", b"")
        kind = self._kind() if is_sample else None
        if kind is not None:
            self.faults[kind] += 1
        if kind in ("429", "429 later", "500"):
            headers = {"retry-after": "0.1"} if kind == "429 later" else {}
            await JSONResponse({"error": {"message": kind}}, int(kind[:3]), headers)(scope, receive, send)
            return
        if kind == "stall":
            await asyncio.sleep(self.stall_s)
            return
        async with httpx2.AsyncClient(timeout=60) as http:
            url = self.target.removesuffix("/v1") + request.url.path
            headers = {"content-type": "application/json", **_authorization(request)}
            async with http.stream(request.method, url, content=body, headers=headers) as response:
                start = {"type": "http.response.start", "status": response.status_code}
                kept = [(b"content-type", response.headers.get("content-type", "").encode())]
                await send({**start, "headers": kept})
                num_parts = 0
                async for part in response.aiter_raw():
                    num_parts += 1
                    if kind == "garbage" and num_parts == 2:
                        part = b"data: {garbage\n\n"
                    if kind == "reset" and num_parts == 2:
                        raise ConnectionResetError
                    if kind == "truncated" and num_parts == 2:
                        break
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _kind(self) -> str | None:
        place = int(self.draw.random() / self.share)
        return self.KINDS[place] if place < len(self.KINDS) else None


def _authorization(request: Request) -> dict[str, str]:
    key = request.headers.get("authorization")
    return {} if key is None else {"authorization": key}


@dataclass
class ChatStub:
    """Takes messages and gives text: refuses token ids and partial messages, and counts its tokens."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    reasoning: str = ""
    answer: str = "so \\boxed{4}"
    has_usage: bool = True

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self.models),
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
            ]
        )

    async def models(self, request: Request) -> Response:
        return JSONResponse({"data": [{"id": "talker"}]})

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        if body["messages"][-1]["role"] == "assistant":
            return JSONResponse({"error": {"message": "no partial messages", "code": 400}}, 400)
        details = {"reasoning_tokens": 3 if self.reasoning else 0}
        usage: dict[str, Any] = {
            "prompt_tokens": 11,
            "completion_tokens": 7,
            "completion_tokens_details": details,
        }
        usage |= {"prompt_tokens_details": {"cached_tokens": 5}}
        if not body.get("stream"):
            choice = {"message": {"content": "x"}, "finish_reason": "stop"}
            answer: dict[str, Any] = {"choices": [choice]}
            return JSONResponse({**answer, **({"usage": usage} if self.has_usage else {})})
        self.bodies.append(body)
        deltas: list[Any] = [{"reasoning_content": self.reasoning}, {"content": self.answer}]
        lines: list[Any] = [{"choices": [{"delta": delta}]} for delta in deltas]
        lines += [{"choices": [{"delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage}]
        text = "".join(f"data: {json.dumps(line)}\n\n" for line in lines)
        return Response(f"{text}data: [DONE]\n\n", media_type="text/event-stream")
