"""Figures of a part, read from what its programs have left: runs as any other, or a probe's found.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from tts_eval.checking.part import Fault, Figure, Figures
from tts_eval.rundir.directory import RunDirectory
from tts_eval.summary.summary import SUMMARY, Summary

MAX_ENERGY_ERROR = 0.1  # of the integral of power samples against the driver's counter


def found(folder: Path) -> Figures:
    """Return what a probe has written."""
    figures: dict[str, Figure] = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    return figures


def figures_of(summary: Summary) -> dict[str, Figure]:
    """Return what the table may show of a run; None where it was not measured."""
    latency, gauges, used = summary.latency, summary.gauges, summary.utilization
    ttft_s, tpot_s = (latency.ttft_s, latency.tpot_excl_first_s) if latency else (None, None)
    return {
        "tokens_per_s": summary.throughput.generated_tokens_per_s if summary.throughput else None,
        "ttft_p50_s": ttft_s.p50 if ttft_s else None,
        "tpot_p50_s": tpot_s.p50 if tpot_s else None,
        "startup_s": summary.startup_s,
        "mfu": used.mfu if used else None,
        "bandwidth": used.bandwidth_utilization if used else None,
        "joules_per_token": summary.energy.joules_per_generated_token if summary.energy else None,
        "acceptance": gauges.mean_acceptance_length if gauges else None,
        "preemptions": gauges.num_preemptions if gauges else None,
        "failed": summary.answers.num_failed,
    }


def runs_in(folder: Path) -> dict[str, Summary]:
    """Return the summaries of the finished runs below `folder`, each by what its name alone has."""
    found = [RunDirectory(file.parent).read(SUMMARY, Summary) for file in sorted(folder.rglob(SUMMARY))]
    summaries = [summary for summary in found if summary is not None]
    names = [summary.about.name.split(",") for summary in summaries]
    own = [[part for part in name if not all(part in other for other in names)] or name for name in names]
    return {
        " ".join(part.rpartition("=")[2] for part in parts): summary
        for parts, summary in zip(own, summaries, strict=True)
    }


def of_runs(*wanted: str) -> Callable[[Path], Figures]:
    """Return what reads the `wanted` figures of every run, with its name before them where there are more."""

    def read(folder: Path) -> Figures:
        runs = runs_in(folder)
        figures = {
            f"{name} {key}" if len(runs) > 1 else key: figures_of(summary)[key]
            for name, summary in runs.items()
            for key in wanted
        }
        failed = sum(summary.answers.num_failed for summary in runs.values())
        if not runs or failed:
            raise Fault(f"{failed} problems failed" if runs else "no run has a summary", figures)
        return figures

    return read


def preempted(folder: Path) -> Figures:
    """Return the preemptions of the run, of which there must be some."""
    figures = of_runs("preemptions", "tokens_per_s")(folder)
    if not figures["preemptions"]:
        raise Fault("the small KV cache preempted nothing", figures)
    return figures


def energy(folder: Path) -> Figures:
    """Hold the driver's energy counter against the power samples' integral, over the longest run."""
    gauges = max(folder.rglob("gauges.jsonl"), key=lambda file: file.stat().st_size, default=None)
    lines = (
        []
        if gauges is None
        else [json.loads(line) for line in gauges.read_text(encoding="utf-8").splitlines()]
    )
    powers = [(line["at_s"], line["gpu_power_w"]) for line in lines if line.get("gpu_power_w") is not None]
    counted = [line["gpu_joules"] for line in lines if line.get("gpu_joules") is not None]
    if len(powers) < 2:
        raise Fault("no power was read", {})
    integral = sum((a[1] + b[1]) / 2 * (b[0] - a[0]) for a, b in pairwise(powers))
    figures: dict[str, Figure] = {
        "integral_joules": integral,
        "mean_power_w": integral / (powers[-1][0] - powers[0][0]),
    }
    if len(counted) < 2:
        raise Fault("the driver counts no energy: joules come from power samples", figures)
    figures["counter_joules"] = counted[-1] - counted[0]
    error = integral / (counted[-1] - counted[0]) - 1
    figures["integral_over_counter"] = 1 + error
    if abs(error) > MAX_ENERGY_ERROR:
        raise Fault(f"counter and integral differ by {error:+.0%}", figures)
    return figures


def calibration(folder: Path) -> Figures:
    """Return how far the planner, with constants fitted to the runs, is off on those it has not seen."""
    import csv

    files = sorted(folder.rglob("calibration.csv"))
    if not files:
        raise Fault("the planner has left no calibration.csv", {})
    with files[-1].open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    held_out = [row for row in rows if row["is_held_out"] == "True"]
    return {"num_runs": len(rows)} | {
        f"{figure}_error": _mean_error(held_out, figure) for figure in ("generated_tokens_per_s", "tpot_s")
    }


def _mean_error(rows: Sequence[Mapping[str, str]], figure: str) -> float | None:
    pairs = [(float(row[f"{figure}_measured"]), float(row[f"{figure}_modelled"])) for row in rows]
    errors = [abs(modelled - measured) / measured for measured, modelled in pairs if measured]
    return sum(errors) / len(errors) if errors else None
