"""Measured runs as the planner sees them: their jobs, how these arrived, and what was measured.

A problem's calls are taken apart into rounds by time: a call belongs to the round after the last one of
which a call had finished when it was submitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.planning.capacity import Memory
from tts_eval.planning.model import Node
from tts_eval.planning.parallelism import Plan
from tts_eval.planning.precision import FORMATS, KV_BYTES, format_of
from tts_eval.planning.serving import Serving
from tts_eval.planning.timings import Timings
from tts_eval.planning.workload import Job, Piece
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.manifest import Manifest
from tts_eval.spend import Call
from tts_eval.summary.summary import SUMMARY, Summary

CLOSED_LOADS = ("concurrent", "sequential")
ENGINE_SETTINGS = {  # that a run must record of its engine to be modelled; vLLM's names
    "data_parallel_size",
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "enable_expert_parallel",
    "speculation",
    "dtype",
    "kv_cache_dtype",
    "block_size",
    "num_gpu_blocks",
    "max_num_seqs",
    "max_num_batched_tokens",
    "enable_chunked_prefill",
    "enforce_eager",
}
REGIMES = ("single stream", "batched", "saturated", "preempting")


@dataclass(frozen=True, slots=True)
class Span:
    """When a problem arrived and was answered."""

    arrived_s: float
    finished_s: float


@dataclass(frozen=True)
class RecordedRun:
    """One run of the policy alone; `spans` go by problem."""

    name: str
    summary: Summary = field(repr=False)
    manifest: Manifest = field(repr=False)
    spans: Mapping[str, Span] = field(repr=False)
    calls: Sequence[Call] = field(repr=False)

    @classmethod
    def read(cls, folder: Path) -> RecordedRun:
        """Read one run.

        Raises:
            ValueError: It is of another schema, not measured, of an engine or a model of unknown sizes
                or of several sessions, or has calls of other models than the policy, which share the
                machine in ways that are not modelled.
        """
        directory = RunDirectory(folder)
        summary, manifest = directory.read(SUMMARY, Summary), directory.manifest()
        assert summary is not None, "runs are found by their summary"
        if manifest.provenance != "measured":
            raise ValueError(f"{folder} is {manifest.provenance}: only measured runs have times of their own")
        untold = ENGINE_SETTINGS - set(manifest.sessions[0].engine.settings)
        if untold:
            raise ValueError(f"{folder} ran on an engine that does not state its {', '.join(sorted(untold))}")
        if manifest.architecture is None:
            raise ValueError(
                f"{folder} is a run of a model whose sizes could not be read; it cannot be modelled"
            )
        if len(manifest.sessions) > 1:
            raise ValueError(
                f"{folder} was resumed: its times lie on several clocks; give runs of one session"
            )
        outcomes = directory.outcomes()
        calls = directory.calls(outcomes)
        others = {call.role for call in calls} - {"policy"}
        if others:
            raise ValueError(
                f"{folder} has calls of {', '.join(sorted(others))}; only the policy is modelled"
            )
        spans = {o.problem_id: Span(o.spend.arrived_s, o.spend.finished_s) for o in outcomes}
        return cls(folder.name, summary, manifest, spans, calls)

    @property
    def hardware_name(self) -> str:
        return self.manifest.hardware.name

    @property
    def plan(self) -> Plan:
        """How the model was spread."""
        engine = self._engine_settings
        dp, tp = engine["data_parallel_size"], engine["tensor_parallel_size"]
        ep = dp * tp if engine["enable_expert_parallel"] else 1
        return Plan(dp, tp, engine["pipeline_parallel_size"], ep)

    @property
    def has_drafts(self) -> bool:
        """Whether tokens were drafted speculatively."""
        return self._engine_settings["speculation"] is not None

    @property
    def in_flight(self) -> int | None:
        """How many problems a closed loop kept going; None where each arrived at its own time."""
        if self.summary.about.load not in CLOSED_LOADS:
            return None
        return int(self.manifest.config["load"].get("k", 1))

    @cached_property
    def jobs(self) -> list[Job]:
        """The problems as jobs, in order of arrival, with the lengths they had."""
        first_s = min(span.arrived_s for span in self.spans.values())
        by_problem: dict[str, list[Call]] = {}
        for call in self.calls:
            if call.num_generated_tokens:
                by_problem.setdefault(call.problem_id, []).append(call)
        return [
            Job(_rounds(by_problem[name]), span.arrived_s - first_s)
            for name, span in sorted(self.spans.items(), key=lambda item: item[1].arrived_s)
            if name in by_problem
        ]

    @cached_property
    def regime(self) -> str:
        """In which regime the engine ran, of those by which errors are grouped.

        Single stream: never two calls at once. Preempting: calls lost their cache. Saturated: all places in
        the batch were taken. Batched: none of these.
        """
        if self.num_preemptions:
            return "preempting"
        most = self.num_running_peak
        if most <= 1:
            return "single stream"
        places = self._engine_settings["max_num_seqs"] * self.plan.dp
        return "saturated" if most >= places else "batched"

    @property
    def num_preemptions(self) -> int:
        """How often a call lost its cache, as far as the engine counts it."""
        return self.summary.gauges.num_preemptions if self.summary.gauges else 0

    @cached_property
    def num_running_peak(self) -> int:
        """The most calls that were submitted and not finished at one time, up to the places there are."""
        edges = sorted(edge for call in self.calls for edge in ((call.submitted_s, 1), (call.finished_s, -1)))
        return max(np.cumsum([change for _, change in edges]).tolist(), default=0)

    def node(self, timings: Timings) -> Node:
        """Return the node it ran on, with these constants and the KV cache that the engine reported."""
        engine, config = self._engine_settings, self.manifest.architecture
        assert config is not None, "it is checked on reading"
        weights = format_of(config, engine["dtype"])
        own = "float32" if weights == "float32" else "bf16"
        kv_bytes = KV_BYTES["fp8" if engine["kv_cache_dtype"].startswith("fp8") else own]
        architecture = read_architecture(config)
        num_tokens = engine["num_gpu_blocks"] * engine["block_size"]
        cache_bytes = num_tokens * architecture.kv_bytes_per_token(kv_bytes) / self.plan.tp
        return Node(
            architecture=architecture,
            precision=FORMATS[weights],
            kv_bytes=kv_bytes,
            memory=Memory(None, 1.0, 0.0, 0.0, engine["block_size"], kv_cache_bytes=cache_bytes),
            timings=timings,
            serving=Serving(
                max_num_seqs=engine["max_num_seqs"],
                max_num_batched_tokens=engine["max_num_batched_tokens"],
                enable_chunked_prefill=engine["enable_chunked_prefill"],
            ),
            has_graphs=not engine["enforce_eager"],
        )

    @property
    def _engine_settings(self) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.manifest.sessions[0].engine.settings
        return settings


def read_runs(folder: Path) -> list[RecordedRun]:
    """Read every run with a summary in `folder`, in the order of their paths; ValueError without any."""
    folders = sorted(file.parent for file in folder.rglob(SUMMARY))
    runs = [replace(RecordedRun.read(f), name=str(f.relative_to(folder))) for f in folders]
    runs = [run for run in runs if run.jobs]
    if not runs:
        raise ValueError(f"{folder} holds no finished run (a run has summary.json) with any engine call")
    return runs


def _rounds(calls: Sequence[Call]) -> tuple[tuple[Piece, ...], ...]:
    """Return the calls of a problem in rounds."""
    rounds: list[list[Call]] = []
    for call in sorted(calls, key=lambda c: (c.submitted_s, c.number)):
        number = 0
        for earlier, group in enumerate(rounds):
            if any(other.finished_s <= call.submitted_s for other in group):
                number = earlier + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(call)
    return tuple(
        tuple(
            Piece(call.num_prompt_tokens, call.num_cached_tokens, call.num_generated_tokens) for call in group
        )
        for group in rounds
    )
