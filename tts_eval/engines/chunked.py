"""Chunked reasoning: a sample is drawn in pieces of so many tokens, and queues again between two of them.

What a piece has computed stays in the engine's prefix cache; what is lost of it is read again, and counted.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from tts_eval.engines.protocol import Engine, SampleStream
from tts_eval.records import Finish
from tts_eval.requests import Completion, EngineFacts, Gauges, Request, derive_seed


@dataclass(frozen=True)
class ChunkedEngine:
    """An engine whose samples yield to those that wait after every `chunk_tokens` tokens.

    With `is_least_attained_first` a piece's priority is the number of tokens that its sample already has.
    """

    engine: Engine
    chunk_tokens: int
    is_least_attained_first: bool = False

    @property
    def facts(self) -> EngineFacts:
        """What is fixed while the engine runs."""
        return self.engine.facts

    def gauges(self) -> Gauges:
        """Return the engine's levels and counters now."""
        return self.engine.gauges()

    async def forget(self) -> None:
        """Empty the prefix cache."""
        await self.engine.forget()

    async def generate(self, request: Request) -> Completion:
        """Draw one sample to its end."""
        sample = _Sample(request, self)
        while (piece := sample.next_piece()) is not None:
            sample.add(await self.engine.generate(piece))
        return sample.completion

    def stream(self, request: Request, *, every: int = 1) -> ChunkedStream:
        """Draw one sample, to be looked at whenever it has grown by `every` tokens."""
        return ChunkedStream(_Sample(request, self), self.engine, every=every)


class ChunkedStream:
    """One sample as it grows, over the boundaries of its pieces."""

    def __init__(self, sample: _Sample, engine: Engine, *, every: int) -> None:
        self._sample = sample
        self._engine = engine
        self._every = every
        self._open: SampleStream | None = None

    async def __aiter__(self) -> AsyncIterator[Completion]:
        """Yield the sample at every look, and at its end."""
        num_seen = 0
        is_looked_at = self._every < self._sample.request.max_tokens
        while (piece := self._sample.next_piece()) is not None:
            self._open = self._engine.stream(piece, every=1 if is_looked_at else piece.max_tokens)
            async for look in self._open:
                if look.finish is None:
                    completion = self._sample.with_piece(look)
                else:
                    completion = self._sample.add(look)
                    self._open = None
                if completion.finish is not None or len(completion.token_ids) - num_seen >= self._every:
                    num_seen = len(completion.token_ids)
                    yield completion

    async def close(self) -> Completion:
        """Stop the sample where it stands and return all of it, tokens not looked at included."""
        if self._open is not None:
            self._sample.add(await self._open.close())
            self._open = None
        completion = self._sample.completion
        return completion if completion.finish is not None else replace(completion, finish=Finish.ABORT)


class _Sample:
    """The pieces of one sample so far."""

    def __init__(self, request: Request, chunked: ChunkedEngine) -> None:
        self.request = request
        self.completion = Completion((), "", None)
        self._chunked = chunked
        self._began_s = time.monotonic()
        self._asked_for: Request | None = None
        self._asked_s = self._began_s

    def next_piece(self) -> Request | None:
        """Return what to ask for next; None once the sample has ended."""
        if self.completion.finish is not None:
            return None
        ids, request = self.completion.token_ids, self.request
        # A stop string may have begun at the end of the last piece: then token by token, to end with it.
        size = 1 if _begins_at_end(self.completion.text, request.stop) else self._chunked.chunk_tokens
        self._asked_s = time.monotonic()
        later_seed = None if request.seed is None else derive_seed(request.seed, "piece", len(ids))
        self._asked_for = replace(
            request,
            prompt_ids=request.prompt_ids + ids,
            max_tokens=min(size, request.max_tokens - len(ids)),
            seed=later_seed if ids else request.seed,
            priority=len(ids) if self._chunked.is_least_attained_first else request.priority,
        )
        return self._asked_for

    def add(self, piece: Completion) -> Completion:
        """Take over a piece that has ended, and return the sample so far."""
        self.completion = self.with_piece(piece)
        return self.completion

    def with_piece(self, piece: Completion) -> Completion:
        """Return the sample with `piece`, which may still grow, at its end."""
        old, asked = self.completion, self._asked_for
        assert asked is not None
        text, crosses = _cut_at_stop(old.text, piece.text, self.request.stop)
        token_ids = old.token_ids + piece.token_ids
        finish = Finish.STOP if crosses else piece.finish
        if finish is Finish.LENGTH and len(token_ids) < self.request.max_tokens:
            finish = None  # the piece has ended, the sample has not
        if not old.token_ids:
            return replace(piece, finish=finish)
        # The last token of the old pieces was never fed: that one is no repetition.
        num_reread_tokens = max(0, len(asked.prompt_ids) - piece.num_cached_tokens - 1)
        decode_s = None
        if old.timing.first_token_s is not None:
            decode_s = time.monotonic() - self._began_s - old.timing.first_token_s
        return Completion(
            token_ids=token_ids,
            text=text,
            finish=finish,
            num_cached_tokens=old.num_cached_tokens,
            num_preemptions=old.num_preemptions + piece.num_preemptions,
            num_drafts=_sum(old.num_drafts, piece.num_drafts),
            num_draft_tokens=_sum(old.num_draft_tokens, piece.num_draft_tokens),
            num_accepted_tokens=_sum(old.num_accepted_tokens, piece.num_accepted_tokens),
            num_reread_tokens=old.num_reread_tokens + num_reread_tokens,
            num_pieces=old.num_pieces + 1,
            timing=replace(
                old.timing,
                decode_s=decode_s,
                requeue_s=old.timing.requeue_s + (piece.timing.queue_s or 0.0),
                token_times_s=_joined(old.timing.token_times_s, self._token_times_s(piece)),
            ),
            logprobs=_joined(old.logprobs, piece.logprobs),
            confidences=_joined(old.confidences, piece.confidences),
        )

    def _token_times_s(self, piece: Completion) -> tuple[float, ...] | None:
        """Return when the tokens of `piece` came, counted from the submission of the whole sample."""
        times_s = piece.timing.token_times_s
        return None if times_s is None else tuple(self._asked_s - self._began_s + t for t in times_s)


def _begins_at_end(text: str, stops: tuple[str, ...]) -> bool:
    """Whether `text` ends in the beginning of a stop string."""
    return any(text.endswith(stop[:size]) for stop in stops for size in range(1, len(stop)))


def _cut_at_stop(old: str, new: str, stops: tuple[str, ...]) -> tuple[str, bool]:
    """Return the joined text, up to the first stop string that begins in `old` and ends in `new`."""
    text = old + new
    ends = [
        start + len(stop)
        for stop in stops
        if (start := text.find(stop, max(0, len(old) - len(stop) + 1))) != -1 and start < len(old)
    ]
    return (text[: min(ends)], True) if ends else (text, False)


def _sum(old: int | None, new: int | None) -> int | None:
    return None if old is None or new is None else old + new


def _joined(old: tuple[float, ...] | None, new: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return None if old is None or new is None else old + new
