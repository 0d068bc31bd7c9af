"""A reward model's reading of a text, booked on the meter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tts_eval.engines.protocol import ReadingEngine
from tts_eval.llm.call import Served
from tts_eval.measuring.meter import Meter
from tts_eval.records import Finish
from tts_eval.requests import Pooled, PoolingRequest
from tts_eval.spend import Call


@dataclass(frozen=True)
class MeteredReader:
    """The reward model behind `role`, for one problem; `about` is the call whose sample it scores."""

    served: Served
    meter: Meter
    role: str
    about: int | None = None

    async def read(
        self, token_ids: Sequence[int], ends: Sequence[int], *, num_known: int = 0
    ) -> list[tuple[float, ...]]:
        """Return a reward model's logits at `ends[num_known:]`, rising positions in `token_ids`.

        What stands after the model's length cannot be read: an end there gets the row of the last end before
        it, or of the last token that fits where there is none, and is counted as unread. Where the prefix
        cache hides an end, everything is read again.
        """
        max_model_len = self.served.engine.facts.max_model_len
        within = [end for end in ends if end < max_model_len]
        wanted = within[num_known:] or within[-1:] or [max_model_len - 1]
        request = PoolingRequest(tuple(token_ids[: wanted[-1] + 1]))
        pooled = await self._pool(request)
        if wanted[0] < pooled.num_cached_tokens:
            pooled = await self._pool(replace(request, may_use_cache=False))
        rows = [pooled.rows[end - pooled.num_cached_tokens] for end in wanted]
        num_unread = len(ends) - max(num_known, len(within))
        self.meter.num_unread_steps += num_unread
        return rows[: max(0, len(within) - num_known)] + [rows[-1]] * num_unread

    async def _pool(self, request: PoolingRequest) -> Pooled:
        engine, num_tokens = self.served.engine, len(request.token_ids)
        if not isinstance(engine, ReadingEngine):
            raise ValueError(
                f"the engine of role {self.role!r} runs no reward model: "
                f"give engine@roles.{self.role}.engine=vllm_pooling"
            )
        number, submitted_s = self.meter.next_call_number(), self.meter.clock()
        pooled, finish = Pooled(()), Finish.ABORT
        try:
            pooled, finish = await engine.pool(request), Finish.END
        finally:  # what is stopped is booked too, as if it had been read to its end
            self.meter.add(
                Call(
                    problem_id=self.meter.problem_id,
                    number=number,
                    role=self.role,
                    seed=None,
                    num_prompt_tokens=num_tokens,
                    num_cached_tokens=pooled.num_cached_tokens,
                    num_generated_tokens=0,
                    finish=finish,
                    submitted_s=submitted_s,
                    finished_s=self.meter.clock(),
                    about=self.about,
                    url=pooled.url,
                    failed=pooled.failed,
                )
            )
        assert len(pooled.rows) + pooled.num_cached_tokens == num_tokens, "a row for each token that was read"
        return pooled
