"""Recorded samples: independent traces of each problem, in the order in which they were drawn.

Knows no engine and no strategy. Only what was sampled from the empty trace, each by one call, is a recording:
the branches of a search are not, and neither are two calls of which one went on with the other's text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from tts_eval.model import Model
from tts_eval.records import Finish, Problem, Sampling
from tts_eval.schema import read_document


@dataclass(frozen=True, slots=True)
class Sample:
    """One trace as it was drawn; counts and scores that are not known are None.

    `step_scores` are a verifier's, one a step or one for the whole; `score` is what the trace was chosen by.
    """

    text: str
    finish: Finish | None = None
    num_tokens: int | None = None
    num_prompt_tokens: int | None = None
    num_cached_tokens: int | None = None
    score: float | None = None
    step_scores: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Recording:
    """The samples of every problem, by its id, and what was sampled from.

    A problem's question is its id: no prompt is written anew. `sampling` None stands for settings that are
    not known, `architecture` None for FLOPs that cannot be counted.
    """

    source: str
    task: str
    model: Model
    problems: tuple[Problem, ...] = field(repr=False)
    samples: Mapping[str, Sequence[Sample]] = field(repr=False)
    fingerprint: str | None = None
    sampling: Sampling | None = None
    architecture: Mapping[str, Any] | None = field(default=None, repr=False)
    max_model_len: int = 2**31

    @property
    def num_samples(self) -> int:
        """How many samples every problem has, at least."""
        return min(len(samples) for samples in self.samples.values())

    def knows(self, name: str) -> bool:
        """Whether every sample has a value of `name`."""
        return all(
            getattr(sample, name) is not None for samples in self.samples.values() for sample in samples
        )


def read_run(run: str) -> Recording:
    """Return the recording of a finished run; raises ValueError where its candidates are no such samples."""
    folder = Path(run).expanduser()
    files = [folder / name for name in ("manifest.json", "summary.json", "problems.jsonl", "calls.jsonl")]
    for file in files:
        if not file.is_file():
            raise ValueError(f"engine.run={run}: no finished run is there ({file.name} is missing)")
    manifest = read_document(files[0])
    config = manifest["config"]
    model = Model(**{key: value for key, value in config["model"].items() if key != "_target_"})
    lines = {line["problem_id"]: line for line in _json_lines(files[2])}
    calls: dict[str, list[dict[str, Any]]] = {problem_id: [] for problem_id in lines}
    for call in _json_lines(files[3]):
        line = lines.get(call["problem_id"])
        if call["role"] == "policy" and line is not None and line["session"] == call["session"]:
            calls[call["problem_id"]].append(call)
    samples = {problem_id: _samples(run, line, calls[problem_id]) for problem_id, line in lines.items()}
    strategy = config["strategy"]
    return Recording(
        source=str(folder),
        task=manifest["task"],
        model=model,
        problems=tuple(
            Problem(problem_id, problem_id, line["gold"], line["level"]) for problem_id, line in lines.items()
        ),
        samples=samples,
        fingerprint=manifest["problems"],
        sampling=model.sampling.override(
            temperature=strategy.get("temperature"), top_p=strategy.get("top_p")
        ),
        architecture=manifest["architecture"],
        max_model_len=manifest["sessions"][-1]["engine"]["max_model_len"],
    )


def _samples(run: str, line: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]) -> tuple[Sample, ...]:
    """Match the candidates of a problem with its calls, one by one."""
    candidates = line["attempt"]["candidates"] if line["attempt"] else ()
    if not candidates:
        raise ValueError(f"engine.run={run}: problem {line['problem_id']} has no candidates to replay")
    calls = sorted(calls, key=lambda call: call["number"])
    same_tokens = [c["num_tokens"] for c in candidates] == [c["num_generated_tokens"] for c in calls]
    same_prompt = len(list(groupby(call["num_prompt_tokens"] for call in calls))) == 1
    if not (same_tokens and same_prompt):
        raise ValueError(
            f"engine.run={run}: its candidates are no independent samples (problem {line['problem_id']} has "
            f"{len(candidates)} from {len(calls)} calls): a search is never replayed, run it at each budget"
        )
    return tuple(
        Sample(
            text=candidate["text"],
            finish=candidate["finish"] and Finish(candidate["finish"]),
            num_tokens=candidate["num_tokens"],
            num_prompt_tokens=call["num_prompt_tokens"],
            num_cached_tokens=call["num_cached_tokens"],
            score=candidate["score"],
            step_scores=candidate["step_scores"] and tuple(candidate["step_scores"]),
        )
        for candidate, call in zip(candidates, calls, strict=True)
    )


def _json_lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@dataclass(frozen=True)
class RecordedTask:
    """The problems of a recording, under the name of the task that they were of."""

    recording: Recording

    @property
    def name(self) -> str:
        """What the benchmark is called in tables."""
        return self.recording.task

    def problems(self) -> Sequence[Problem]:
        """Return the recorded problems."""
        return self.recording.problems
