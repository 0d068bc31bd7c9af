"""The figures of a run, computed from its files alone, so that a resumed run is summarized like any other.

Knows no figure itself and no engine; what could not be measured is None.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tts_eval.auditing.evidence import Evidence
from tts_eval.auditing.invariants import inconsistencies
from tts_eval.measuring.objectives import Objectives
from tts_eval.requests import REPLAYED
from tts_eval.running.directory import RunDirectory
from tts_eval.running.drafted import drafted_calls
from tts_eval.running.figures.answers import answer_figures, without_answers
from tts_eval.running.figures.budget import budget_figures
from tts_eval.running.figures.by_role import role_figures
from tts_eval.running.figures.call_flops import FlopsCounter
from tts_eval.running.figures.calls import call_figures
from tts_eval.running.figures.cost import cost_figures
from tts_eval.running.figures.energy import energy_figures
from tts_eval.running.figures.fairness import fairness_figures
from tts_eval.running.figures.flops import flops_figures
from tts_eval.running.figures.gauges import gauge_figures
from tts_eval.running.figures.goodput import goodput_figures
from tts_eval.running.figures.latency import latency_figures
from tts_eval.running.figures.lengths import length_figures
from tts_eval.running.figures.saturation import saturation_figures
from tts_eval.running.figures.steadiness import held_seconds, steady_figures
from tts_eval.running.figures.throughput import throughput_figures, wall_seconds
from tts_eval.running.figures.tokens import token_figures
from tts_eval.running.figures.utilization import utilization_figures
from tts_eval.running.untimed import replayable
from tts_eval.schema import SCHEMA_VERSION
from tts_eval.spend import Call

Summary = dict[str, Any]
LABELS = ("strategy", "verifier", "engine", "speculation", "load")


def summarize(directory: RunDirectory) -> Summary:
    """Return the summary of the finished problems (what each key means: docs/reference.md)."""
    manifest = directory.manifest()
    outcomes = directory.outcomes()
    readings = directory.gauges()
    fills = directory.fills()
    sessions_of = {outcome.problem_id: outcome.session for outcome in outcomes}
    calls, fill_calls = drafted_calls(directory, sessions_of, manifest)
    sessions = manifest["sessions"]
    engines = [session["engine"] for session in sessions]
    load, wall_s = manifest["load"], wall_seconds(outcomes)
    saturation = saturation_figures(outcomes, is_open=load["is_open"])
    held_s = held_seconds(outcomes, load, wall_s=wall_s, is_saturated=saturation["saturated"])
    held_share = held_s / wall_s if wall_s else 1.0
    steadiness = steady_figures(outcomes, fills, fill_calls, wall_s=wall_s, held_s=held_s)
    is_synthetic = any(engine["is_synthetic"] for engine in engines)
    flops = flops_figures(calls, len(outcomes), FlopsCounter.of_run(manifest))
    flops_per_problem = flops["flops_per_problem"]["total"]
    gauges = gauge_figures(readings)
    holdings = _with_replicas(sessions[-1])
    cost = cost_figures(
        outcomes,
        calls,
        held_s=held_s,
        load=load,
        holdings=holdings,
        hardware=manifest["hardware"],
        fills=fills,
        fill_calls=fill_calls,
        api_prices=sessions[-1]["api_prices"],
    )
    energy = energy_figures(
        outcomes,
        directory.machine(),
        idle_powers_w=[s["idle_power_w"] for s in sessions],
        held_share=held_share,
    )
    summary = {
        "schema_version": SCHEMA_VERSION,
        "provenance": manifest["provenance"],
        "is_synthetic": is_synthetic,
        "is_seeded": all(engine["is_seeded"] for engine in engines),
        "name": manifest["name"],
        "model": manifest["model"],
        "task": manifest["task"],
        **{name: manifest["labels"].get(name) for name in LABELS},
        **answer_figures(outcomes),
        **budget_figures(outcomes, manifest),
        **token_figures(outcomes),
        **latency_figures(outcomes, is_open=load["is_open"]),
        **call_figures(calls),
        **length_figures(calls),
        **throughput_figures(
            outcomes,
            held_s,
            num_gpus=sessions[-1]["num_gpus"],
            mean_in_flight=steadiness["mean_in_flight"],
        ),
        **steadiness,
        **saturation,
        **goodput_figures(outcomes, held_s, Objectives(**manifest["objectives"])),
        **flops,
        **cost,
        **energy,
        **role_figures(
            outcomes,
            calls,
            holdings=holdings,
            usd=cost["usd_total"],
            joules=energy["joules_total"],
        ),
        **fairness_figures(outcomes, calls),
        **gauges,
        **utilization_figures(
            calls,
            None if flops_per_problem is None else flops_per_problem * len(outcomes),
            wall_s=held_s,
            num_gpus=sessions[-1]["num_gpus"],
            num_steps=round(
                gauges["num_steps"] * _share_of_tokens(calls, fill_calls, sessions[-1]["engine_roles"][0])
            ),
            config=manifest["architecture"],
            engine=engines[-1],
            hardware=manifest["hardware"],
        ),
        "startup_s": sum(session["startup_s"] for session in sessions),
        "wall_s": wall_s,
    }
    if manifest["provenance"] == REPLAYED:
        return {**replayable(summary, manifest), "inconsistencies": None}
    summary = without_answers(summary) if is_synthetic else summary
    return {**summary, "inconsistencies": _inconsistencies(Evidence(manifest, summary, outcomes, calls))}


def _inconsistencies(evidence: Evidence) -> list[str]:
    """Return what does not add up; whatever that may be, the run is not lost over it."""
    try:
        return list(inconsistencies(evidence))
    except Exception as error:
        return [f"the figures could not be checked: {error!r}"]


def _share_of_tokens(calls: Sequence[Call], fill_calls: Sequence[Call], roles: Collection[str]) -> float:
    """Return the share of the tokens that `roles` generated, and so of their engine's steps, without fill."""
    own, fill = (
        sum(call.num_generated_tokens for call in some if call.role in roles) for some in (calls, fill_calls)
    )
    return own / (own + fill) if fill else 1.0


def _with_replicas(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return which roles hold which GPUs, and how many replicas their engine runs on them."""
    facts = {"policy": session["engine"], **session["roles"]}
    return [
        {**held, "num_replicas": facts[held["roles"][0]]["settings"].get("data_parallel_size", 1)}
        for held in session["holdings"]
    ]
