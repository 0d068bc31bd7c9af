"""Whether tokens, FLOPs, dollars and joules by role add up to the totals, and these to the calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tts_eval.auditing.evidence import Evidence, differing
from tts_eval.running.figures.call_flops import FlopsCounter
from tts_eval.running.figures.flops import flops_by_problem

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


def _dollars(manifest: Mapping[str, Any], summary: Mapping[str, Any]) -> Iterator[str]:
    """Hold the dollars against price x GPUs x seconds, `held_s` where the summary tells it apart."""
    if summary["usd_total"] is None:
        return
    held_s = summary.get("held_s") or summary["wall_s"]
    session = manifest["sessions"][-1]
    held = sum(holding["num_gpus"] for holding in session["holdings"])
    yield from differing("num_gpus, against the holdings", summary["num_gpus"], held)
    if len(manifest["sessions"]) == 1:  # else each session has a price and holdings of its own
        price = session["hardware"]["usd_per_gpu_hour"]
        usd = held * held_s / SECONDS_AN_HOUR * price
        yield from differing("usd_total, price x GPUs x hours", summary["usd_total"], usd)
    for per, count in {
        "usd_per_problem": summary["num_problems"],
        "usd_per_correct": summary["num_correct"],
        "usd_per_generated_token": summary["tokens"]["generated"],
    }.items():
        if count and isinstance(summary[per], int | float):
            yield from differing(f"{per} x {count}", summary[per] * count, summary["usd_total"])
