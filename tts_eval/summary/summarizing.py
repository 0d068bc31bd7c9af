"""A run summarized, from its files alone, so that one that was resumed is summarized like any other."""

from __future__ import annotations

from msgspec.structs import replace

from tts_eval.rundir.directory import RunDirectory
from tts_eval.summary.about import about
from tts_eval.summary.answers import answer_figures, are_judged, without_answers
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
from tts_eval.summary.spent import budget_figures, token_figures
from tts_eval.summary.summary import Summary
from tts_eval.summary.throughput import (
    held_by_session,
    saturation_figures,
    steady_figures,
    throughput_figures,
    wall_seconds,
)
from tts_eval.summary.utilization import utilization_figures


def summarize(directory: RunDirectory) -> Summary:
    """Return the summary of the finished problems."""
    manifest = directory.manifest()
    outcomes = directory.outcomes()
    fills = directory.fills()
    solved_in = {outcome.problem_id: outcome.session for outcome in outcomes}
    calls, fill_calls = drafted_calls(directory, solved_in, manifest)
    counted = flops_figures(calls, len(outcomes), FlopsCounter.of_run(manifest))
    if manifest.is_replay:
        return Summary(
            about=about(manifest),
            answers=answer_figures(outcomes, is_replay=True),
            budgeted=budget_figures(outcomes, manifest),
            spent=token_figures(outcomes, manifest),
            flops=counted.without(manifest.unknown_tokens),
        )
    starts, readings = manifest.sessions, directory.gauges()
    load, wall_s = manifest.load, wall_seconds(outcomes)
    saturation = saturation_figures(outcomes, is_open=load.is_open)
    held_by = held_by_session(outcomes, load, is_saturated=saturation.saturated)
    held_s = sum(held_by.values())
    steadiness = steady_figures(outcomes, fills, fill_calls, wall_s=wall_s, held_s=held_s)
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
    per_problem = counted.flops_per_problem.total
    summary = Summary(
        about=about(manifest),
        answers=answer_figures(outcomes),
        budgeted=budget_figures(outcomes, manifest),
        spent=token_figures(outcomes, manifest),
        latency=latency_figures(outcomes, is_open=load.is_open),
        calls=call_figures(calls),
        servers=server_figures(calls),
        lengths=length_figures(calls),
        throughput=throughput_figures(
            outcomes,
            held_s,
            gpu_s=sum(session.gpu_s for session in sessions),
            mean_in_flight=steadiness.mean_in_flight,
        ),
        steadiness=steadiness,
        saturation=saturation,
        goodput=goodput_figures(outcomes, held_s, Objectives(**manifest.objectives)),
        flops=counted,
        cost=cost_figures(sessions, load=load),
        energy=energy_figures(outcomes, energy),
        by_role=role_figures(sessions, joules=joules),
        fairness=fairness_figures(outcomes, calls),
        gauges=gauge_figures(readings) if all(start.engine.has_gauges for start in starts) else None,
        utilization=utilization_figures(
            sessions,
            None if per_problem is None else per_problem * len(outcomes),
            config=manifest.architecture,
        ),
        sessions=session_figures(sessions, joules),
        startup_s=sum(start.startup_s for start in starts),
        wall_s=wall_s,
    )
    if summary.about.is_synthetic or not are_judged(outcomes):
        summary = without_answers(summary)
    return replace(summary, inconsistencies=_inconsistencies(Evidence(manifest, summary, outcomes, calls)))


def _inconsistencies(evidence: Evidence) -> list[str]:
    """Return what does not add up; whatever that may be, the run is not lost over it."""
    try:
        return list(inconsistencies(evidence))
    except Exception as error:
        return [f"the figures could not be checked: {error!r}"]
