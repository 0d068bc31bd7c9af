"""vLLM's scheduler and iteration statistics, added up into `Gauges`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vllm.v1.metrics.loggers import StatLoggerBase

from tts_eval.requests import Gauges


class GaugeBoard:
    """The newest levels of every data-parallel engine, and their counters since the start."""

    def __init__(self) -> None:
        self._kv_cache_usage_peak = 0.0
        self._levels: dict[int, tuple[int, int, float]] = {}
        self._counts: dict[str, int] = {}
        self._num_accepted_tokens_at: list[int] = []

    def add(self, **counts: int) -> None:
        """Add to the counters."""
        for name, count in counts.items():
            self._counts[name] = self._counts.get(name, 0) + count

    def accept(self, num_tokens_at: Sequence[int]) -> None:
        """Add to the counts of accepted tokens, one a place in the draft."""
        missing = len(num_tokens_at) - len(self._num_accepted_tokens_at)
        self._num_accepted_tokens_at += [0] * missing
        for place, num_tokens in enumerate(num_tokens_at):
            self._num_accepted_tokens_at[place] += num_tokens

    def level(self, engine: int, *, num_running: int, num_waiting: int, kv_cache_usage: float) -> None:
        """Set the levels of one data-parallel engine."""
        self._levels[engine] = (num_running, num_waiting, kv_cache_usage)
        self._kv_cache_usage_peak = max(self._kv_cache_usage_peak, kv_cache_usage)

    def read(self) -> Gauges:
        """Return the gauges now; KV-cache use is that of the fullest engine."""
        levels = self._levels.values()
        peak, self._kv_cache_usage_peak = self._kv_cache_usage_peak, 0.0
        return Gauges(
            num_running=sum(running for running, _, _ in levels),
            num_waiting=sum(waiting for _, waiting, _ in levels),
            kv_cache_usage=max((usage for _, _, usage in levels), default=0.0),
            kv_cache_usage_peak=peak,
            num_accepted_tokens_at=tuple(self._num_accepted_tokens_at),
            **self._counts,
        )


class GaugeLogger(StatLoggerBase):  # type: ignore[misc]  # vLLM is not followed by mypy
    """Hands one engine's statistics to a board, once a step."""

    def __init__(self, board: GaugeBoard, vllm_config: Any, engine_index: int = 0) -> None:
        self._board = board
        self._engine = engine_index

    def record(
        self,
        scheduler_stats: Any,
        iteration_stats: Any,
        mm_cache_stats: Any = None,
        engine_idx: int = 0,
    ) -> None:
        """Take over the statistics of one step; either may be None."""
        if scheduler_stats is not None:
            self._record_scheduler(scheduler_stats)
        if iteration_stats is not None:
            self._board.add(
                num_generated_tokens=iteration_stats.num_generation_tokens,
                num_preemptions=iteration_stats.num_preempted_reqs,
            )

    def _record_scheduler(self, stats: Any) -> None:
        self._board.level(
            self._engine,
            num_running=stats.num_running_reqs,
            num_waiting=stats.num_waiting_reqs,
            kv_cache_usage=stats.kv_cache_usage,
        )
        self._board.add(num_steps=1)
        prefix = stats.prefix_cache_stats
        if prefix is not None:
            self._board.add(num_prefix_queried_tokens=prefix.queries, num_prefix_hit_tokens=prefix.hits)
        drafts = stats.spec_decoding_stats
        if drafts is not None:
            self._board.add(
                num_drafts=drafts.num_drafts,
                num_draft_tokens=drafts.num_draft_tokens,
                num_accepted_tokens=drafts.num_accepted_tokens,
            )
            self._board.accept(drafts.num_accepted_tokens_per_pos)

    def log_engine_initialized(self) -> None:
        """Nothing to say: start-up is reported by the run."""
