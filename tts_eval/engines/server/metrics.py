"""The gauges of a server: /metrics of vLLM and SGLang, under the names that an engine in process has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields

import msgspec

from tts_eval.requests import Gauges

LINE = re.compile(r"^(\w[\w:]*)(?:\{([^}]*)\})?\s+([-+0-9.eEinfaN]+)", re.MULTILINE)
PLACE = re.compile(r'position="(\d+)"')
NAMES: Mapping[str, str] = {
    "vllm:num_requests_running": "num_running",
    "vllm:num_requests_waiting": "num_waiting",
    "vllm:kv_cache_usage_perc": "kv_cache_usage",
    "vllm:generation_tokens_total": "num_generated_tokens",
    "vllm:num_preemptions_total": "num_preemptions",
    "vllm:prefix_cache_queries_total": "num_prefix_queried_tokens",
    "vllm:prefix_cache_hits_total": "num_prefix_hit_tokens",
    "vllm:iteration_tokens_total_count": "num_steps",
    "vllm:spec_decode_num_drafts_total": "num_drafts",
    "vllm:spec_decode_num_draft_tokens_total": "num_draft_tokens",
    "vllm:spec_decode_num_accepted_tokens_total": "num_accepted_tokens",
    "sglang:num_running_reqs": "num_running",
    "sglang:num_queue_reqs": "num_waiting",
    "sglang:token_usage": "kv_cache_usage",
    "sglang:generation_tokens_total": "num_generated_tokens",
    "sglang:num_retractions_total": "num_preemptions",
    "sglang:prompt_tokens_total": "num_prefix_queried_tokens",
    "sglang:cached_tokens_total": "num_prefix_hit_tokens",
}
ACCEPTED_AT = "vllm:spec_decode_num_accepted_tokens_per_pos_total"


def gauges_of(text: str) -> Gauges:
    """Return what a page of Prometheus metrics says; its engines are added up, the fullest cache counts."""
    found: dict[str, float] = {}
    accepted_at: dict[int, int] = {}
    for name, labels, value in LINE.findall(text):
        if name == ACCEPTED_AT and (place := PLACE.search(labels)):
            number = int(place[1])
            accepted_at[number] = accepted_at.get(number, 0) + int(float(value))
        elif ours := NAMES.get(name):
            old, new = found.get(ours, 0.0), float(value)
            found[ours] = max(old, new) if ours == "kv_cache_usage" else old + new
    usage = found.pop("kv_cache_usage", 0.0)
    counts = {name: int(value) for name, value in found.items()}
    at = tuple(accepted_at.get(number, 0) for number in range(max(accepted_at, default=-1) + 1))
    levels = {"kv_cache_usage": usage, "kv_cache_usage_peak": usage}
    return msgspec.convert({**counts, **levels, "num_accepted_tokens_at": at}, Gauges)


def has_gauges(text: str) -> bool:
    """Whether a page is that of a server whose metrics are known here."""
    return any(name in NAMES for name, _, _ in LINE.findall(text))


def added(all_gauges: list[Gauges]) -> Gauges:
    """Return the gauges of several servers as those of one: sums, and the fullest cache."""
    levels = {"kv_cache_usage", "kv_cache_usage_peak"}
    names = [f.name for f in fields(Gauges) if f.name not in levels | {"num_accepted_tokens_at"}]
    counts = {name: sum(getattr(each, name) for each in all_gauges) for name in names}
    peaks = {name: max((getattr(each, name) for each in all_gauges), default=0.0) for name in levels}
    length = max((len(each.num_accepted_tokens_at) for each in all_gauges), default=0)
    at = tuple(
        sum(each.num_accepted_tokens_at[n] for each in all_gauges if n < len(each.num_accepted_tokens_at))
        for n in range(length)
    )
    return msgspec.convert({**counts, **peaks, "num_accepted_tokens_at": at}, Gauges)
