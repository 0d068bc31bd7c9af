"""Whether tokens, FLOPs, dollars and joules by role add up to the totals, and these to the calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tts_eval.rundir.manifest import Manifest
from tts_eval.summary.call_flops import FlopsCounter
from tts_eval.summary.evidence import Evidence, differing
from tts_eval.summary.flops import flops_by_problem
from tts_eval.summary.sessions import added

KINDS = ("prompt", "cached", "generated", "thinking")
SECONDS_AN_HOUR = 3600


def check_totals(evidence: Evidence) -> Iterator[str]:
    """Yield what does not add up."""
    yield from _tokens(evidence)
    yield from _flops(evidence)
    yield from _dollars(evidence.manifest, evidence.summary)
    for total, parts in (("usd_total", "usd_by_role"), ("joules_total", "joules_by_role")):
        by_role = evidence.summary[parts]
        if by_role is not None:
            yield from differing(f"sum of {parts}", sum(by_role.values()), evidence.summary[total])


def _tokens(evidence: Evidence) -> Iterator[str]:
    tokens = evidence.summary["tokens"]
    for kind in KINDS:
        booked = sum(getattr(call, f"num_{kind}_tokens") for call in evidence.calls)
        by_role = sum(own[kind] for own in tokens["by_role"].values())
        yield from differing(f"tokens.{kind}, against the calls", tokens[kind], booked)
        yield from differing(f"sum of tokens.by_role.*.{kind}", by_role, tokens[kind])


def _flops(evidence: Evidence) -> Iterator[str]:
    summary, num_problems = evidence.summary, len(evidence.outcomes)
    per_problem = summary["flops_per_problem"]
    if per_problem["total"] is None:
        return
    parts = sum(value for kind, value in per_problem.items() if kind != "total")
    yield from differing("sum of flops_per_problem.*", parts, per_problem["total"])
    by_role = sum(summary["flops_per_problem_by_role"].values())
    yield from differing("sum of flops_per_problem_by_role.*", by_role, per_problem["total"])
    shares = flops_by_problem(evidence.calls, FlopsCounter.of_run(evidence.manifest))
    counted = sum(flops or 0 for flops in shares.values())
    yield from differing("FLOPs of the problems", counted, per_problem["total"] * num_problems)


def _dollars(manifest: Manifest, summary: Mapping[str, Any]) -> Iterator[str]:
    """Hold the dollars against price x GPUs x seconds of every session that solved problems."""
    starts, sessions = manifest.sessions, summary["sessions"]
    yield from differing("hardware, against the last session's", manifest.hardware, starts[-1].hardware)
    for session in sessions:
        start, name = starts[session["session"]], f"session {session['session']}"
        num_gpus = sum(holding.num_gpus for holding in start.holdings)
        yield from differing(f"num_gpus of {name}, against the holdings", session["num_gpus"], num_gpus)
        price = start.hardware.usd_per_gpu_hour
        is_priced = price is not None and all(holding.num_gpus for holding in start.holdings)
        usd = num_gpus * session["held_s"] / SECONDS_AN_HOUR * price if is_priced else None
        yield from differing(f"usd_total of {name}, price x GPUs x hours", session["usd_total"], usd)
    for total in ("num_problems", "held_s", "usd_total", "joules_total"):
        parts = added(session[total] for session in sessions)
        yield from differing(
            f"sum of sessions.{total}", parts if sessions else summary[total], summary[total]
        )
    for name in ("num_gpus", "usd_per_gpu_hour"):
        values = {session[name] for session in sessions}
        the_one = values.pop() if len(values) == 1 else None
        yield from differing(f"{name}, against the sessions", summary[name], the_one)
    if summary["usd_total"] is None:
        return
    for per, count in {
        "usd_per_problem": summary["num_problems"],
        "usd_per_correct": summary["num_correct"],
        "usd_per_generated_token": summary["tokens"]["generated"],
    }.items():
        if count and isinstance(summary[per], int | float):
            yield from differing(f"{per} x {count}", summary[per] * count, summary["usd_total"])
