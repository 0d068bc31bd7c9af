"""The figures of a run, computed from its files alone, so that a resumed run is summarized like any other.

Knows no figure itself and no engine; what could not be measured is None.
"""

from __future__ import annotations

from typing import Any

from tts_eval.running.directory import RunDirectory
from tts_eval.running.figures.answers import answer_figures
from tts_eval.running.figures.budget import budget_figures
from tts_eval.running.figures.cost import cost_figures
from tts_eval.running.figures.flops import flops_figures
from tts_eval.running.figures.gauges import gauge_figures
from tts_eval.running.figures.latency import latency_figures
from tts_eval.running.figures.throughput import throughput_figures, wall_seconds
from tts_eval.running.figures.tokens import token_figures
from tts_eval.running.manifest import SCHEMA_VERSION

Summary = dict[str, Any]
LABELS = ("strategy", "verifier", "engine", "speculation", "load")


def summarize(directory: RunDirectory) -> Summary:
    """Return the summary of the finished problems (what each key means: docs/reference.md)."""
    manifest = directory.read("manifest.json")
    assert manifest is not None, "a run has a manifest before it has problems"
    outcomes = directory.outcomes()
    calls = directory.calls(outcomes)
    sessions = manifest["sessions"]
    wall_s = wall_seconds(outcomes)
    return {
        "schema_version": SCHEMA_VERSION,
        "provenance": manifest["provenance"],
        "name": manifest["name"],
        "model": manifest["model"],
        "task": manifest["task"],
        **{name: manifest["labels"].get(name) for name in LABELS},
        **answer_figures(outcomes),
        **budget_figures(outcomes, manifest),
        **token_figures(outcomes),
        **latency_figures(outcomes),
        **throughput_figures(outcomes, wall_s),
        **flops_figures(
            calls, len(outcomes), {"policy": manifest["architecture"], **manifest["role_architectures"]}
        ),
        **cost_figures(outcomes, wall_s, sessions[-1]["num_gpus"], manifest["hardware"]["usd_per_gpu_hour"]),
        **gauge_figures(directory.gauges()),
        "startup_s": sum(session["startup_s"] for session in sessions),
        "wall_s": wall_s,
    }
