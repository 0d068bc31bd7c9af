"""The figures of a run, computed from its files alone, so that a resumed run is summarized like any other.

Knows no engine; what could not be measured is None, and an infinite cost is the string "inf" (JSON has none).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.grading.grade import Verdict
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.cost import Cost, cost_of, wall_usd
from tts_eval.measuring.flops import call_flops, weights_only_flops
from tts_eval.records import Call, Spend
from tts_eval.requests import Gauges
from tts_eval.running.directory import RunDirectory
from tts_eval.running.manifest import SCHEMA_VERSION
from tts_eval.running.outcome import Outcome
from tts_eval.statistics.intervals import mean_ci95, proportion_ci95
from tts_eval.statistics.spread import Spread

Summary = dict[str, Any]
LABELS = ("strategy", "verifier", "engine", "speculation", "load")
RISING = (
    "num_generated_tokens",
    "num_preemptions",
    "num_prefix_queried_tokens",
    "num_prefix_hit_tokens",
    "num_drafts",
    "num_accepted_tokens",
)


def summarize(directory: RunDirectory) -> Summary:
    """Return the summary of the finished problems (key names: DESIGN section 5, README "Reference")."""
    manifest = directory.read("manifest.json")
    assert manifest is not None, "a run has a manifest before it has problems"
    outcomes = directory.outcomes()
    num_correct = sum(outcome.is_correct for outcome in outcomes)
    engines = [session["engine"] for session in manifest["sessions"]]
    wall_s = _wall_s(outcomes)
    return {
        "schema_version": SCHEMA_VERSION,
        "provenance": manifest["provenance"],
        "name": manifest["name"],
        "model": manifest["model"],
        "task": manifest["task"],
        **{name: manifest["labels"].get(name) for name in LABELS},
        "num_problems": len(outcomes),
        "num_correct": num_correct,
        "num_undecided": sum(outcome.grade.verdict is Verdict.UNDECIDED for outcome in outcomes),
        "num_failed": sum(outcome.error is not None for outcome in outcomes),
        "accuracy": num_correct / len(outcomes) if outcomes else None,
        "accuracy_ci95": proportion_ci95(num_correct, len(outcomes)),
        **_spend(outcomes),
        "problems_per_s": len(outcomes) / wall_s if wall_s else None,
        "generated_tokens_per_s": _total(outcomes, "num_generated_tokens") / wall_s if wall_s else None,
        **_flops(directory.calls(outcomes), len(outcomes), manifest["architecture"]),
        **_cost(outcomes, wall_s, engines[-1]["num_gpus"], manifest["hardware"]["usd_per_gpu_hour"]),
        "num_gpus": engines[-1]["num_gpus"],
        **_gauges(directory.gauges()),
        "startup_s": sum(engine["startup_s"] for engine in engines),
        "wall_s": wall_s,
    }


def _wall_s(outcomes: Sequence[Outcome]) -> float:
    """Add up, over the sessions, the time from the first arrival to the last answer."""
    total_s = 0.0
    for session in {outcome.session for outcome in outcomes}:
        spends = [outcome.spend for outcome in outcomes if outcome.session == session]
        total_s += max(s.finished_s for s in spends) - min(s.arrived_s for s in spends)
    return total_s


def _total(outcomes: Sequence[Outcome], name: str) -> int:
    return sum(getattr(outcome.spend, name) for outcome in outcomes)


def _spend(outcomes: Sequence[Outcome]) -> Summary:
    kinds = ("prompt", "cached", "generated", "thinking", "verifier", "draft")
    times: dict[str, Callable[[Spend], float | None]] = {
        "ttft_s": lambda spend: spend.ttft_s,
        "ttfat_s": lambda spend: spend.ttfat_s,
        "tta_s": lambda spend: spend.tta_s,
        "tpot_excl_first_s": lambda spend: spend.tpot_excl_first_s,
        "queue_s": lambda spend: spend.queue_s,
    }
    spreads = {name: Spread.of(time_of(o.spend) for o in outcomes) for name, time_of in times.items()}
    return {
        "tokens": {kind: _total(outcomes, f"num_{kind}_tokens") for kind in kinds},
        **{name: None if spread is None else asdict(spread) for name, spread in spreads.items()},
        "tta_s_mean_ci95": mean_ci95([outcome.spend.tta_s for outcome in outcomes]),
    }


def _flops(calls: Sequence[Call], num_problems: int, config: Mapping[str, Any] | None) -> Summary:
    """Return FLOPs a problem by role; a role that made no call took none, one of unknown sizes is None."""
    per_problem: dict[str, float | None] = {"policy": None, "verifier": 0.0, "draft": 0.0}
    weights_only: float | None = None
    for role in {call.role for call in calls} - {"policy"}:
        per_problem["verifier" if role == "verifier" else "draft"] = None
    if config is not None and num_problems:
        architecture = read_architecture(config)
        tokens = [
            {
                "num_prompt_tokens": call.num_prompt_tokens,
                "num_cached_tokens": call.num_cached_tokens,
                "num_generated_tokens": call.num_generated_tokens,
            }
            for call in calls
            if call.role == "policy"
        ]
        per_problem["policy"] = sum(call_flops(architecture, **t) for t in tokens) / num_problems
        weights_only = sum(weights_only_flops(architecture, **t) for t in tokens) / num_problems
    known = [flops for flops in per_problem.values() if flops is not None]
    total = sum(known) if len(known) == len(per_problem) else None
    return {
        "flops_per_problem": {**per_problem, "total": total},
        "flops_per_problem_weights_only": weights_only,
    }


def _cost(
    outcomes: Sequence[Outcome], wall_s: float, num_gpus: int, usd_per_gpu_hour: float | None
) -> Summary:
    if usd_per_gpu_hour is None:
        names: Summary = dict.fromkeys(Cost.__slots__)
        return {**names, "usd_per_gpu_hour": None}
    cost = cost_of(
        wall_usd(num_gpus=num_gpus, wall_s=wall_s, usd_per_gpu_hour=usd_per_gpu_hour),
        calls_s=[outcome.spend.calls_s for outcome in outcomes],
        num_tokens=[outcome.spend.num_generated_tokens for outcome in outcomes],
        is_correct=[outcome.is_correct for outcome in outcomes],
    )
    return {
        **{name: _json_number(value) for name, value in asdict(cost).items()},
        "usd_per_gpu_hour": usd_per_gpu_hour,
    }


def _json_number(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json_number(v) for v in value]
    return "inf" if isinstance(value, float) and math.isinf(value) else value


def _gauges(readings: Sequence[tuple[int, Gauges]]) -> Summary:
    """Add up, over the sessions, what the counters rose by; a session starts with a reading of its own."""
    rises = dict.fromkeys(RISING, 0)
    for session in {session for session, _ in readings}:
        series = [gauges for s, gauges in readings if s == session]
        for name in rises:
            rises[name] += getattr(series[-1], name) - getattr(series[0], name)
    queried, drafts = rises["num_prefix_queried_tokens"], rises["num_drafts"]
    return {
        "engine_generated_tokens": rises["num_generated_tokens"],
        "kv_cache_usage_peak": max((gauges.kv_cache_usage_peak for _, gauges in readings), default=None),
        "num_preemptions": rises["num_preemptions"],
        "prefix_cache_hit_rate": rises["num_prefix_hit_tokens"] / queried if queried else None,
        "mean_acceptance_length": 1 + rises["num_accepted_tokens"] / drafts if drafts else None,
    }
