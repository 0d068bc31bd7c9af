"""One engine over simulated time: continuous batching, chunked prefill, preemption by recompute.

It mirrors vLLM's scheduler: running sequences first, then waiting ones in order of arrival while a place
and blocks for their context are free; where blocks run out the newest sequence loses its cache, goes back
to the head of the queue and is later prefilled again.

All decoding sequences advance at one pace, so their contexts are kept as offsets to a common tick, and as
many equal steps as nothing happens in are taken at once, at the context in their middle.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tts_eval.planning.capacity import Capacity
from tts_eval.planning.serving import Serving, step_time
from tts_eval.planning.step_time import PARTS, Batch, StepModel, StepTime
from tts_eval.planning.workload import Piece


@dataclass(slots=True, eq=False)
class Request:
    """A call on its way through an engine; `owner` is whose call it is."""

    piece: Piece
    owner: int
    submitted_s: float
    num_generated: int = 0
    num_to_prefill: int = 0
    num_preemptions: int = 0
    scheduled_s: float | None = None
    first_token_s: float | None = None
    finished_s: float | None = None

    @property
    def num_context(self) -> int:
        return self.piece.num_prompt_tokens + self.num_generated


class Replica:
    """One engine; drive it with `submit`, `begin`, `interrupt` and `end`."""

    def __init__(self, step_model: StepModel, capacity: Capacity, serving: Serving) -> None:
        self._steps, self._capacity, self._serving = step_model, capacity, serving
        self._max_num_seqs = serving.max_num_seqs * capacity.num_copies
        self._budget_tokens = serving.max_num_batched_tokens * capacity.num_copies
        self._speculation = serving.speculation
        self._pace = serving.speculation.acceptance_length
        self._room_bytes = capacity.cache_bytes * capacity.num_copies
        self._waiting: deque[Request] = deque()
        self._prefilling: list[Request] = []
        self._decoding: list[Request] = []
        self._offsets: NDArray[np.float64] = np.empty(0)
        self._last_ticks: NDArray[np.int64] = np.empty(0, np.int64)
        self._tick = 0
        self._began_s, self._num_steps = 0.0, 0
        self._chunks: dict[Request, int] = {}
        self._time = StepTime(*(0.0 for _ in PARTS))
        self.spent_s = dict.fromkeys(PARTS, 0.0)
        self.num_preemptions = self.num_generated_tokens = 0
        self.num_prefilled_tokens = self.num_recomputed_tokens = 0
        self.usage_peak = 0.0

    @property
    def num_unfinished(self) -> int:
        return len(self._waiting) + len(self._prefilling) + len(self._decoding)

    def submit(self, request: Request) -> None:
        """Queue a call; it is seen when the next step begins."""
        request.num_to_prefill = max(1, request.piece.num_prompt_tokens - request.piece.num_cached_tokens)
        self._waiting.append(request)

    def begin(self, now_s: float) -> float | None:
        """Begin as many steps as nothing will happen in; return when they end, None if there is no work."""
        was_preempted = self._make_room()
        if not was_preempted:
            self._admit()
        if not self.num_unfinished:
            return None
        self._began_s = now_s
        self._chunks = self._cut_chunks()
        for request in self._chunks:
            request.scheduled_s = now_s if request.scheduled_s is None else request.scheduled_s
        self._num_steps = 1 if self._chunks else self._num_quiet_steps()
        self._time = self._step_time()
        return now_s + self._num_steps * self._time.total_s

    def interrupt(self, now_s: float) -> float | None:
        """End the steps that go on at `now_s` early, where a call just submitted could be admitted.

        Returns the new end, at the first boundary between steps from `now_s` on; None if nothing changes.
        """
        if self._chunks or len(self._decoding) >= self._max_num_seqs or self._num_steps == 1:
            return None
        done = (now_s - self._began_s) / self._time.total_s
        self._num_steps = min(self._num_steps, max(1, math.ceil(done)))
        self._time = self._step_time()
        return max(now_s, self._began_s + self._num_steps * self._time.total_s)

    def end(self, now_s: float) -> list[Request]:
        """Take over what the steps have yielded; return the calls that are finished."""
        for name in PARTS:
            self.spent_s[name] += self._num_steps * getattr(self._time, name)
        self._tick += self._num_steps
        self.usage_peak = max(self.usage_peak, self._used_bytes(0) / self._room_bytes)
        is_done = self._last_ticks <= self._tick
        finished = []
        if is_done.any():
            finished = [r for r, done in zip(self._decoding, is_done, strict=True) if done]
            self._decoding = [r for r, done in zip(self._decoding, is_done, strict=True) if not done]
            self._offsets, self._last_ticks = self._offsets[~is_done], self._last_ticks[~is_done]
        finished += self._end_prefill(now_s)
        for request in finished:
            request.num_generated = request.piece.num_generated_tokens
            request.finished_s = now_s
            self.num_generated_tokens += request.num_generated
        return finished

    def _end_prefill(self, now_s: float) -> list[Request]:
        """Move on the prompts of this step; return the calls that end with their first token."""
        finished = []
        for request, num_tokens in self._chunks.items():
            request.num_to_prefill -= num_tokens
            self.num_prefilled_tokens += num_tokens
            if request.num_preemptions:
                self.num_recomputed_tokens += num_tokens
            if request.num_to_prefill:
                continue
            self._prefilling.remove(request)
            request.num_generated += 1
            if request.first_token_s is None:
                request.first_token_s = now_s
            num_left = request.piece.num_generated_tokens - request.num_generated
            if num_left <= 0:
                finished.append(request)
                continue
            self._decoding.append(request)
            self._offsets = np.append(self._offsets, request.num_context - self._pace * self._tick)
            last = self._tick + math.ceil(num_left / self._pace)
            self._last_ticks = np.append(self._last_ticks, last)
        self._chunks = {}
        return finished

    def _admit(self) -> None:
        """Take waiting calls in, first come first served, as long as places, blocks and tokens last."""
        used = self._used_bytes(1)
        num_left = self._budget_tokens - self._num_decode_tokens
        num_left -= sum(request.num_to_prefill for request in self._prefilling)
        while self._waiting and len(self._decoding) + len(self._prefilling) < self._max_num_seqs:
            request = self._waiting[0]
            needed = self._bytes_of(request.num_context + 1)
            is_whole = request.num_to_prefill <= num_left or self._serving.enable_chunked_prefill
            is_busy = bool(self._decoding or self._prefilling)
            if used + needed > self._room_bytes or num_left <= 0 or (not is_whole and is_busy):
                break
            self._prefilling.append(self._waiting.popleft())
            used += needed
            num_left -= request.num_to_prefill

    def _make_room(self) -> bool:
        """Preempt the newest sequences until all others can take a step; return whether any was."""
        was_preempted = False
        while self._used_bytes(1) > self._room_bytes:
            assert len(self._decoding) + len(self._prefilling) > 1, "a call that fits alone was admitted"
            self._preempt()
            was_preempted = True
        return was_preempted

    def _preempt(self) -> None:
        if self._prefilling:
            request = self._prefilling.pop()
        else:
            request = self._decoding.pop()
            num_left = self._pace * int(self._last_ticks[-1] - self._tick)
            num_done = math.floor(request.piece.num_generated_tokens - num_left)
            request.num_generated = max(request.num_generated, num_done)
            self._offsets, self._last_ticks = self._offsets[:-1], self._last_ticks[:-1]
        request.num_preemptions += 1
        self.num_preemptions += 1
        request.num_to_prefill = request.num_context
        self._waiting.appendleft(request)

    def _cut_chunks(self) -> dict[Request, int]:
        """Return how much of which prompt the next step prefills."""
        num_left = max(1, self._budget_tokens - self._num_decode_tokens)
        chunks = {}
        for request in self._prefilling:
            num_tokens = request.num_to_prefill
            if self._serving.enable_chunked_prefill:
                num_tokens = min(num_tokens, num_left)
            if num_tokens <= 0:
                break
            chunks[request] = num_tokens
            num_left -= num_tokens
        return chunks

    def _num_quiet_steps(self) -> int:
        """Return how many steps can be taken until a sequence ends or blocks run out."""
        until_end = int(self._last_ticks.min()) - self._tick
        if self._used_bytes(until_end) <= self._room_bytes:
            return until_end
        fits, too_many = 1, until_end
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if self._used_bytes(middle) <= self._room_bytes:
                fits = middle
            else:
                too_many = middle
        return fits

    def _step_time(self) -> StepTime:
        """Return the mean time of the steps begun: at the context in their middle."""
        num_decoding = len(self._decoding)
        context = float(self._offsets.sum()) + num_decoding * self._pace * self._tick
        context += num_decoding * self._pace * (self._num_steps - 1) / 2
        num_prefill, num_pairs = 0, 0.0
        for request, num_tokens in self._chunks.items():
            num_before = request.num_context - request.num_to_prefill
            num_prefill += num_tokens
            num_pairs += num_tokens * (num_before + (num_tokens + 1) / 2)
        num_new = sum(1 for r in self._chunks if r.first_token_s is None and not r.num_preemptions)
        return step_time(
            self._steps,
            Batch(
                num_decoding,
                context,
                num_prefill_tokens=num_prefill,
                num_prefill_pairs=num_pairs,
                num_query_tokens=1 + self._speculation.num_draft_tokens,
                num_admitted=num_new,
            ),
            self._serving,
        )

    @property
    def _num_decode_tokens(self) -> int:
        return len(self._decoding) * (1 + self._speculation.num_draft_tokens)

    def _used_bytes(self, num_steps: int) -> float:
        """Return the cache in use after `num_steps` more: every sequence in whole blocks."""
        contexts = self._offsets + self._pace * (self._tick + num_steps)
        used = self._bytes_of_all(contexts)
        return used + sum(self._bytes_of(request.num_context + 1) for request in self._prefilling)

    def _bytes_of(self, num_tokens: int) -> float:
        block = self._capacity.block_size
        return self._capacity.shard.kv_bytes(math.ceil(num_tokens / block) * block)

    def _bytes_of_all(self, contexts: NDArray[np.float64]) -> float:
        block, shard = self._capacity.block_size, self._capacity.shard
        rounded = np.ceil(contexts / block) * block
        kept = sum(
            n * float((rounded if w is None else np.minimum(rounded, w)).sum())
            for w, n in shard.windows.items()
        )
        return kept * shard.token_bytes
