"""An engine of scripted replies that follows vLLM's own rules of detokenising and of stopping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from tokenizers.decoders import DecodeStream

from tests.families.families import ANSWER, Family
from tts_eval.llm.tokenizer import Codec
from tts_eval.records import Finish
from tts_eval.requests import Completion, EngineFacts, Gauges, Request


@dataclass
class BenchEngine:
    """Writes the family's reply; after a prefix of it the rest; within a box "42}."; else an answer.

    The text of a completion keeps special tokens and the end of the turn, and ends where the stop string
    does, even within a token: vLLM with skip_special_tokens=False and include_stop_str_in_output=True.
    `num_thinking_tokens` are counted from the text so far of each token, another way than the product's.
    """

    family: Family
    codec: Codec
    reply: str
    max_model_len: int = 100_000
    requests: list[Request] = field(default_factory=list)
    num_thinking_tokens: int = 0
    num_generated_tokens: int = 0

    @property
    def facts(self) -> EngineFacts:
        return EngineFacts("bench", "0", "cpu", 1, self.max_model_len, startup_s=0.0)

    @property
    def tokenizer(self) -> Any:
        return self.codec._tokenizer

    def gauges(self) -> Gauges:
        return Gauges()

    async def forget(self) -> None:
        pass

    def raw(self, request: Request) -> str:
        """Return a request's prompt with every special token."""
        return str(self.tokenizer.decode(list(request.prompt_ids), skip_special_tokens=False))

    def written(self, request: Request) -> str:
        """Return what the prompt holds of the model's turn, with what the chat template began of it."""
        raw = self.raw(request)
        heads = (
            "<|im_start|>assistant\n",
            "<｜Assistant｜>",
            "<|start|>assistant",
            "[/INST]",
            "\\boxed{}.\n",
        )
        starts = [raw.rfind(head) + len(head) for head in heads if head in raw]
        if self.family.name == "gpt_oss":  # a turn has several messages, each with that head
            starts = [raw.index(heads[2], raw.rindex("<|start|>user")) + len(heads[2])]
        return raw[max(starts, default=len(raw)) :]

    def _continuation(self, request: Request) -> str:
        written = self.written(request)
        own = written.removeprefix("<think>\n" if not self.family.thinking.startswith("\n") else "<think>")
        own = own if self.family.is_opened else written
        own = own.lstrip(" ") if self.family.is_metaspace else own
        answer = self.reply.removeprefix(self.family.thinking)
        if self.reply.startswith(own):
            return self.reply[len(own) :]
        if own.endswith("\\boxed{"):
            return "42}."
        if self.family.end is not None and self.family.end not in own:  # it was made to think on
            end = self.family.thinking[self.family.thinking.rindex("42.") + 3 :]
            return f" so 42.{end}{answer}"
        said = own.rpartition(self.family.end or "\0")[2].lstrip("\n")
        return answer[len(said) :] if answer.startswith(said) else answer

    async def generate(self, request: Request) -> Completion:
        completion = await self.draw(request)
        self.count(request, completion)
        return completion

    def count(self, request: Request, completion: Completion) -> None:
        """Count what was generated of a completion: at its end, or where it was stopped."""
        stream = DecodeStream(ids=list(request.prompt_ids), skip_special_tokens=False)
        written = self.written(request)
        self.num_generated_tokens += len(completion.token_ids)
        for token_id in completion.token_ids:
            self.num_thinking_tokens += self.family.end is not None and self._thinks(written)
            written += stream.step(self.tokenizer._tokenizer, token_id) or ""

    async def draw(self, request: Request) -> Completion:
        """Return the whole of a completion, not counted."""
        self.requests.append(request)
        await asyncio.sleep(0)
        reply = (*self.codec.encode(self._continuation(request)), self.tokenizer.eos_token_id)
        if self.family.is_metaspace and self.written(request):
            reply = reply[1:]  # the space that stands before a text's first word
        stream = DecodeStream(ids=list(request.prompt_ids), skip_special_tokens=False)
        text, ids, finish = "", list[int](), None
        for token_id in reply:
            ids.append(token_id)
            begin, text = len(text), text + (stream.step(self.tokenizer._tokenizer, token_id) or "")
            if token_id == self.tokenizer.eos_token_id:
                finish = Finish.END
            elif len(ids) == request.max_tokens:
                finish = Finish.LENGTH
            ends = [
                at + len(stop)
                for stop in request.stop
                if (at := text.find(stop, max(0, begin + 1 - len(stop)))) != -1
            ]
            if ends:
                text, finish = text[: min(ends)], Finish.STOP
            if finish is not None:
                break
        assert finish is not None
        wanted = request.num_logprobs
        return Completion(
            tuple(ids),
            text,
            finish,
            logprobs=None if wanted is None else (-0.1,) * len(ids),
            confidences=None if not wanted else (1.0,) * len(ids),
        )

    def _thinks(self, written: str) -> bool:
        """Whether what is written of the turn leaves the model thinking, or about to."""
        start, end = str(self.family.start), str(self.family.end)
        if end in written:
            return False
        return start in written or start.startswith(written) or self.family.name == "gpt_oss"

    def stream(self, request: Request, *, every: int = 1) -> BenchStream:
        return BenchStream(self, request, every)


@dataclass
class BenchStream:
    """A completion looked at every so many tokens; closing it early books what was seen."""

    engine: BenchEngine
    request: Request
    every: int
    last: Completion | None = None

    async def __aiter__(self) -> AsyncIterator[Completion]:
        whole = await self.engine.draw(self.request)
        for end in range(self.every, len(whole.token_ids), self.every):
            yield self._first(whole, end, None)
        self.last = whole
        yield whole

    async def close(self) -> Completion:
        if self.last is None:
            return Completion((), "", Finish.ABORT)
        if self.last.finish is None:
            self.last = replace(self.last, finish=Finish.ABORT)
        self.engine.count(self.request, self.last)
        return self.last

    def _first(self, whole: Completion, num_tokens: int, finish: Finish | None) -> Completion:
        ids = whole.token_ids[:num_tokens]
        self.last = replace(
            whole,
            token_ids=ids,
            text=self.engine.tokenizer.decode(list(ids), skip_special_tokens=False),
            finish=finish,
            logprobs=None if whole.logprobs is None else whole.logprobs[:num_tokens],
            confidences=None if whole.confidences is None else whole.confidences[:num_tokens],
        )
        return self.last


ANSWERLESS = ANSWER[: ANSWER.index("The answer")] + "I cannot tell."
