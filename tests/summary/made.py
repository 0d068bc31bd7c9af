"""A summary with a few figures of one's own, and plain ones otherwise."""

from __future__ import annotations

import msgspec

from tts_eval.rundir.schema import SCHEMA_VERSION
from tts_eval.rundir.topic import by_topic
from tts_eval.summary.summary import Summary

PLAIN = {
    "schema_version": SCHEMA_VERSION,
    "provenance": "measured",
    "is_synthetic": False,
    "name": "plain",
    "model": "pocket",
    "task": "pocket",
    "num_problems": 100,
    "num_failed": 0,
    "num_unanswered": 0,
    "num_candidates": 100,
    "num_truncated": 0,
    "num_unfinished_thinking": 0,
    "accuracy": 0.5,
    "accuracy_ci95": (0.4, 0.6),
    "num_reused": 0,
    "tokens": dict.fromkeys(("prompt", "cached", "generated", "thinking", "verifier", "draft"), 5000)
    | {"by_role": {}},
    "critical_path": {},
    "failed": {"num_problems": 0, "after_s": None, "num_generated_tokens": 0},
    "generated_tokens_per_s": 1234.0,
    "flops_per_problem": dict.fromkeys(("policy", "verifier", "draft", "total")),
    "flops_per_problem_extra": {},
    "usd_per_correct": 0.02,
    "engine_generated_tokens": 5000,
    "num_steps": 0,
    "num_preemptions": 0,
}


def summary_of(**figures: object) -> Summary:
    """Return a measured summary with these figures, by their keys in summary.json."""
    return msgspec.convert(by_topic(PLAIN | figures, Summary), Summary, strict=False)


def spread(**figures: float) -> dict[str, float | None]:
    """Return how a time spreads over a hundred problems, of which little is known but these figures."""
    unknown: dict[str, float | None] = dict.fromkeys(("std", "p50", "p90", "p95", "p99"))
    return {"n": 100, "num_censored": 0, "mean": 1.0, **unknown, **figures}
