"""Token mode: a sample from /v1/completions, prompt and sample as token ids, never tokenized again."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from tts_eval.engines.server.faults import of_event
from tts_eval.records import Finish
from tts_eval.requests import Completion, Request, Timing
from tts_eval.spend import FailedAttempt


class Details(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None


class Drafts(msgspec.Struct):
    num_spec_steps: int | None = None
    num_draft_tokens: int | None = None
    num_accepted_draft_tokens: int | None = None


class Metrics(msgspec.Struct):
    """What `vllm serve --enable-per-request-metrics` measures itself."""

    time_to_first_token_ms: float | None = None  # first scheduled → first token
    generation_time_ms: float | None = None
    queue_time_ms: float | None = None
    speculative_decoding: Drafts | None = None


class Logprobs(msgspec.Struct):
    token_logprobs: list[float | None] = []
    top_logprobs: list[dict[str, float] | None] | None = None


class Choice(msgspec.Struct):
    text: str = ""
    token_ids: list[int] | None = None
    logprobs: Logprobs | None = None
    finish_reason: str | None = None
    stop_reason: int | str | None = None


class Chunk(msgspec.Struct):
    choices: list[Choice] = []
    usage: Usage | None = None
    metrics: Metrics | None = None
    error: Any = None


CHUNKS = msgspec.json.Decoder(Chunk)


def completion_body(
    request: Request, model: str, *, cache_salt: str | None, priorities: bool
) -> dict[str, object]:
    """Return the body that draws `request`, with nothing left to the server's own defaults."""
    sampling = request.sampling
    body: dict[str, object] = {
        "model": model,
        "prompt": list(request.prompt_ids),
        "max_tokens": request.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k or -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop": list(request.stop),
        "include_stop_str_in_output": True,
        "skip_special_tokens": False,  # markers and stop strings may hold some; `Codec.shown` drops others
        "spaces_between_special_tokens": False,
        "add_special_tokens": False,
        "return_token_ids": True,
        "return_tokens_as_token_ids": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.seed is not None and not sampling.is_greedy:
        body["seed"] = request.seed
    if request.num_logprobs is not None:
        body["logprobs"] = request.num_logprobs
    if request.max_thinking_tokens is not None:
        body["thinking_token_budget"] = request.max_thinking_tokens
    if cache_salt is not None:
        body["cache_salt"] = cache_salt
    if priorities:
        body["priority"] = request.priority
    return body


class TokenGrowth:
    """What the chunks of one attempt add up to; times are the client's, from the attempt's submission."""

    def __init__(self, request: Request, url: str) -> None:
        self.request = request
        self.url = url
        self.token_ids: list[int] = []
        self.finish: Finish | None = None
        self.first_byte_s: float | None = None
        self._text: list[str] = []
        self._logprobs: list[float] = []
        self._confidences: list[float] = []
        self._times_s: list[float] = []
        self._usage: Usage | None = None
        self._metrics: Metrics | None = None
        self._began_s = time.monotonic()

    @property
    def age_s(self) -> float:
        """How long ago the attempt was submitted."""
        return time.monotonic() - self._began_s

    def add(self, data: bytes) -> None:
        """Take over one event; raises Fault or Rejected where it is an error."""
        if not data:
            self.first_byte_s = self.age_s
            return
        chunk = CHUNKS.decode(data)
        if chunk.error is not None:
            raise of_event(chunk.error, self.url)
        self._usage = chunk.usage or self._usage
        self._metrics = chunk.metrics or self._metrics
        for choice in chunk.choices[:1]:
            self._add_choice(choice)

    def _add_choice(self, choice: Choice) -> None:
        new_ids = choice.token_ids or []
        self.token_ids += new_ids
        self._times_s += [self.age_s] * len(new_ids)
        self._text.append(choice.text)
        if choice.logprobs is not None:
            self._logprobs += [logprob or 0.0 for logprob in choice.logprobs.token_logprobs]
            for entries in choice.logprobs.top_logprobs or []:
                top = sorted((entries or {}).values(), reverse=True)[: self.request.num_logprobs or 0]
                self._confidences.append(-sum(top) / len(top) if top else 0.0)
        if choice.finish_reason is not None:
            self.finish = finish_of(choice.finish_reason, choice.stop_reason)

    def completion(self, failed: tuple[FailedAttempt, ...] = ()) -> Completion:
        """Return everything so far; `failed` are the attempts before this one."""
        wanted, usage, drafts = self.request.num_logprobs, self._usage, None
        if self._metrics is not None:
            drafts = self._metrics.speculative_decoding
        details = None if usage is None else usage.prompt_tokens_details
        return Completion(
            token_ids=tuple(self.token_ids),
            text="".join(self._text),
            finish=self.finish,
            num_cached_tokens=0 if details is None else details.cached_tokens or 0,
            num_drafts=None if drafts is None else drafts.num_spec_steps,
            num_draft_tokens=None if drafts is None else drafts.num_draft_tokens,
            num_accepted_tokens=None if drafts is None else drafts.num_accepted_draft_tokens,
            timing=self._timing(sum(attempt.lasted_s + attempt.waited_s for attempt in failed)),
            logprobs=None if wanted is None else tuple(self._logprobs),
            confidences=None if not wanted else tuple(self._confidences),
            url=self.url,
            failed=failed,
        )

    def _timing(self, failed_s: float) -> Timing:
        if not self._times_s:
            return Timing(first_byte_s=self._after(failed_s))
        told = self._metrics or Metrics()
        return Timing(
            first_token_s=failed_s + self._times_s[0],
            queue_s=_seconds(told.queue_time_ms),
            prefill_s=_seconds(told.time_to_first_token_ms),
            decode_s=self._times_s[-1] - self._times_s[0],
            token_times_s=tuple(failed_s + time_s for time_s in self._times_s),
            first_byte_s=self._after(failed_s),
        )

    def _after(self, failed_s: float) -> float | None:
        return None if self.first_byte_s is None else failed_s + self.first_byte_s


def finish_of(reason: str, stop_reason: int | str | None) -> Finish:
    """Return why a sample ended; a second end-of-turn token comes as an integer: the turn has ended too."""
    if reason == "length":
        return Finish.LENGTH
    if reason == "abort":
        return Finish.ABORT
    return Finish.STOP if isinstance(stop_reason, str) else Finish.END


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
