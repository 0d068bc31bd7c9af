"""Chat mode: whole samples of text from /v1/chat/completions, counted by the server's own `usage`."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from tts_eval.engines.server.chat_codec import THINKING, ChatCodec, Said, TextOnly, run_of
from tts_eval.engines.server.completions import Usage, finish_of
from tts_eval.engines.server.faults import Rejected, of_event
from tts_eval.engines.whole import WholeStream
from tts_eval.records import Finish
from tts_eval.requests import Completion, EngineFacts, Gauges, Request, Timing
from tts_eval.spend import FailedAttempt


class Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None  # what newer servers call it


class ChatChoice(msgspec.Struct):
    delta: Delta = msgspec.field(default_factory=Delta)
    finish_reason: str | None = None
    stop_reason: int | str | None = None


class ChatChunk(msgspec.Struct):
    choices: list[ChatChoice] = []
    usage: Usage | None = None
    error: Any = None


CHAT_CHUNKS = msgspec.json.Decoder(ChatChunk)


def check_text_only(request: Request, *, every: int, codec: ChatCodec, continues: bool) -> None:
    """Raise TextOnly for what whole samples of text cannot give."""
    _, begun, _ = codec.messages(request.prompt_ids)
    if begun and not continues:
        raise TextOnly("it continues a trace, and this server does not continue a partial message")
    if every < request.max_tokens:
        raise TextOnly("it watches a sample grow, and this server gives no token ids to count")
    if request.stop:
        raise TextOnly("it stops samples at strings, and this server does not keep them")
    if request.num_logprobs is not None:
        raise TextOnly("it reads log-probabilities, and this server gives none with its text")
    if request.max_thinking_tokens is not None:
        raise TextOnly("it has the engine cap the thinking, and this server does not")


def chat_body(request: Request, model: str, codec: ChatCodec) -> dict[str, object]:
    """Return the body that draws `request`; what is off is left out, as not every server knows it."""
    messages, begun, thinks = codec.messages(request.prompt_ids)
    sampling, kwargs = request.sampling, dict(codec.model.chat_template_kwargs)
    if not thinks:
        kwargs |= codec.model.no_thinking_kwargs
    body: dict[str, object] = {
        "model": model,
        "messages": [*messages, *([{"role": "assistant", "content": begun}] if begun else [])],
        "max_tokens": request.max_tokens,
        "temperature": sampling.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if sampling.top_p < 1:
        body["top_p"] = sampling.top_p
    if sampling.top_k:
        body["top_k"] = sampling.top_k
    if request.seed is not None and not sampling.is_greedy:
        body["seed"] = request.seed % 2**31  # hosted servers take no more bits
    if kwargs:
        body["chat_template_kwargs"] = kwargs
    if begun:
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return body


class ChatGrowth:
    """One attempt at a sample; how many tokens it has is known at its end alone."""

    def __init__(self, request: Request, url: str) -> None:
        self.token_ids: list[int] = []
        self.finish: Finish | None = None
        self._url = url
        self._reasoning: list[str] = []
        self._content: list[str] = []
        self._times_s: list[float] = []
        self._usage: Usage | None = None
        self._first_byte_s: float | None = None
        self._began_s = time.monotonic()

    def add(self, data: bytes) -> None:
        """Take over one event; raises Fault or Rejected where it is an error."""
        age_s = time.monotonic() - self._began_s
        if not data:
            self._first_byte_s = age_s
            return
        chunk = CHAT_CHUNKS.decode(data)
        if chunk.error is not None:
            raise of_event(chunk.error, self._url)
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices[:1]:
            reasoning = choice.delta.reasoning_content or choice.delta.reasoning or ""
            content = choice.delta.content or ""
            if reasoning or content:
                self._times_s.append(age_s)
                self._reasoning.append(reasoning)
                self._content.append(content)
            if choice.finish_reason is not None:
                self.finish = finish_of(choice.finish_reason, None)

    def completion(self, failed: tuple[FailedAttempt, ...] = ()) -> Completion:
        """Return everything so far; of a sample that was stopped the pieces that came count as its tokens."""
        usage = self._usage
        num_tokens = len(self._times_s)
        if self.finish is not None:
            if usage is None or usage.completion_tokens is None:
                raise Rejected(f"{self._url} does not count the tokens of a streamed sample (usage)")
            num_tokens = usage.completion_tokens
        prompt = usage and usage.prompt_tokens_details
        details = usage and usage.completion_tokens_details
        said = Said(
            self._text(), num_tokens, num_thinking_tokens=details.reasoning_tokens if details else None
        )
        failed_s = sum(attempt.lasted_s + attempt.waited_s for attempt in failed)
        times_s = tuple(failed_s + time_s for time_s in self._times_s)
        return Completion(
            token_ids=run_of(said),
            text=said.text,
            finish=self.finish,
            num_cached_tokens=(prompt.cached_tokens or 0) if prompt else 0,
            num_prompt_tokens=None if usage is None else usage.prompt_tokens,
            timing=Timing(
                first_token_s=times_s[0] if times_s else None,
                decode_s=times_s[-1] - times_s[0] if times_s else None,
                token_times_s=times_s if len(times_s) == num_tokens and times_s else None,
                first_byte_s=None if self._first_byte_s is None else failed_s + self._first_byte_s,
            ),
            url=self._url,
            failed=failed,
        )

    def _text(self) -> str:
        reasoning, content = "".join(self._reasoning), "".join(self._content)
        if not reasoning:
            return content
        has_ended = bool(content) or self.finish is Finish.END
        return f"{THINKING[0]}{reasoning}{THINKING[1] if has_ended else ''}{content}"


class RehearsalEngine:
    """Answers at once, and raises TextOnly for what a server of text alone cannot give.

    The first sample and every second one after it is cut, to see what is asked for then.
    """

    def __init__(self, codec: ChatCodec, facts: EngineFacts, *, continues: bool) -> None:
        self._codec = codec
        self._continues = continues
        self._num_drawn = 0
        self.facts = facts

    def gauges(self) -> Gauges:
        """Return what an engine shows that does nothing."""
        return Gauges()

    async def forget(self) -> None:
        """Nothing is cached."""

    def stream(self, request: Request, *, every: int = 1) -> WholeStream:
        """Answer, unless the sample is to be watched while it grows."""
        check_text_only(request, every=every, codec=self._codec, continues=self._continues)
        return WholeStream(self.generate, request)

    async def generate(self, request: Request) -> Completion:
        """Return an answer of three tokens, or of as many as are allowed."""
        check_text_only(request, every=request.max_tokens, codec=self._codec, continues=self._continues)
        num_tokens = min(3, request.max_tokens)
        text = "\\boxed{1}"
        self._num_drawn += 1
        finish = Finish.LENGTH if self._num_drawn % 2 else Finish.END
        return Completion(run_of(Said(text, num_tokens)), text, finish, num_prompt_tokens=1)
