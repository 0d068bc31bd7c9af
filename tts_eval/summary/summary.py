"""The figures of a run, computed from its files alone, so that a resumed run is summarized like any other."""

from __future__ import annotations

from typing import Any

from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.replayed import replayable
from tts_eval.rundir.schema import SCHEMA_VERSION
from tts_eval.summary.answers import answer_figures, budget_figures, token_figures, without_answers
from tts_eval.summary.by_role import role_figures
from tts_eval.summary.call_flops import FlopsCounter
from tts_eval.summary.calls import call_figures
from tts_eval.summary.cost_figures import cost_figures
from tts_eval.summary.drafts import drafted_calls
from tts_eval.summary.energy_figures import energy_figures, session_joules
from tts_eval.summary.evidence import Evidence
from tts_eval.summary.fairness import fairness_figures
from tts_eval.summary.flops import flops_figures
from tts_eval.summary.gauges import gauge_figures, rises_by_session
from tts_eval.summary.goodput import Objectives, goodput_figures
from tts_eval.summary.invariants import inconsistencies
from tts_eval.summary.latency import latency_figures
from tts_eval.summary.lengths import length_figures
from tts_eval.summary.servers import server_figures
from tts_eval.summary.sessions import session_figures, sessions_of
from tts_eval.summary.throughput import (
    held_by_session,
    saturation_figures,
    steady_figures,
    throughput_figures,
    wall_seconds,
)
from tts_eval.summary.utilization import utilization_figures

Summary = dict[str, Any]
LABELS = ("strategy", "verifier", "engine", "speculation", "load")


def summarize(directory: RunDirectory) -> Summary:
    """Return the summary of the finished problems (what each key means: docs/reference.md)."""
    manifest = directory.manifest()
    outcomes = directory.outcomes()
    readings = directory.gauges()
    fills = directory.fills()
    solved_in = {outcome.problem_id: outcome.session for outcome in outcomes}
    calls, fill_calls = drafted_calls(directory, solved_in, manifest)
    starts = manifest.sessions
    engines = [start.engine for start in starts]
    load, wall_s = manifest.load, wall_seconds(outcomes)
    saturation = saturation_figures(outcomes, is_open=load.is_open)
    held_by = held_by_session(outcomes, load, is_saturated=saturation["saturated"])
    held_s = sum(held_by.values())
    steadiness = steady_figures(outcomes, fills, fill_calls, wall_s=wall_s, held_s=held_s)
    is_synthetic = any(engine.is_synthetic for engine in engines)
    flops = flops_figures(calls, len(outcomes), FlopsCounter.of_run(manifest))
    flops_per_problem = flops["flops_per_problem"]["total"]
    gauges = gauge_figures(readings)
    if not all(engine.has_gauges for engine in engines):  # a server without /metrics
        gauges = dict.fromkeys(gauges)
    sessions = sessions_of(
        manifest,
        outcomes,
        calls,
        held_s=held_by,
        num_steps=rises_by_session(readings, "num_steps"),
        fills=fills,
        fill_calls=fill_calls,
    )
    energy = session_joules(
        outcomes,
        directory.machine(),
        idle_powers_w=[start.idle_power_w for start in starts],
        held_s=held_by,
    )
    joules = None if energy is None else {number: each.used for number, each in energy.items()}
    summary = {
        "schema_version": SCHEMA_VERSION,
        "provenance": manifest.provenance,
        "is_synthetic": is_synthetic,
        "is_seeded": all(engine.is_seeded for engine in engines),
        "name": manifest.name,
        "model": manifest.model,
        "task": manifest.task,
        **{name: manifest.labels.get(name) for name in LABELS},
        **answer_figures(outcomes),
        **budget_figures(outcomes, manifest),
        **token_figures(outcomes),
        **latency_figures(outcomes, is_open=load.is_open),
        **call_figures(calls),
        **server_figures(calls),
        **length_figures(calls),
        **throughput_figures(
            outcomes,
            held_s,
            gpu_s=sum(session.gpu_s for session in sessions),
            mean_in_flight=steadiness["mean_in_flight"],
        ),
        **steadiness,
        **saturation,
        **goodput_figures(outcomes, held_s, Objectives(**manifest.objectives)),
        **flops,
        **cost_figures(sessions, load=load),
        **energy_figures(outcomes, energy),
        **role_figures(sessions, joules=joules),
        **fairness_figures(outcomes, calls),
        **gauges,
        **utilization_figures(
            sessions,
            None if flops_per_problem is None else flops_per_problem * len(outcomes),
            config=manifest.architecture,
        ),
        "sessions": session_figures(sessions, joules),
        "startup_s": sum(start.startup_s for start in starts),
        "wall_s": wall_s,
    }
    if manifest.is_replay:
        return {**replayable(summary, manifest), "inconsistencies": None}
    summary = without_answers(summary) if is_synthetic else summary
    return {**summary, "inconsistencies": _inconsistencies(Evidence(manifest, summary, outcomes, calls))}


def _inconsistencies(evidence: Evidence) -> list[str]:
    """Return what does not add up; whatever that may be, the run is not lost over it."""
    try:
        return list(inconsistencies(evidence))
    except Exception as error:
        return [f"the figures could not be checked: {error!r}"]
