"""Solutions with labelled steps, as public data sets of process labels keep them.

Each loader takes one row of a file and returns a solution; ProcessBench: Zheng et al., arXiv 2412.06559;
Math-Shepherd: Wang et al., arXiv 2312.08935; PRM800K: Lightman et al., arXiv 2305.20050.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tts_eval.statistics.first_error import NO_ERROR

STEP_TAG = "ки"


@dataclass(frozen=True, slots=True)
class WorkedSteps:
    """A question, the steps of a solution, and the first wrong one (from 0; `NO_ERROR`)."""

    question: str
    steps: tuple[str, ...]
    first_wrong: int


def processbench(row: Mapping[str, Any]) -> WorkedSteps:
    """Read {problem, steps, label}."""
    return WorkedSteps(row["problem"], tuple(row["steps"]), int(row["label"]))


def math_shepherd(row: Mapping[str, Any]) -> WorkedSteps:
    """Read {input, label}: the same text, with ки and with + or - at the end of each step."""
    question, *steps = row["input"].replace(STEP_TAG, "").strip().split("Step ")
    marks = [line.strip()[-1] for line in row["label"].strip().split("\n")]
    if len(marks) != len(steps):
        raise ValueError(f"{len(steps)} steps and {len(marks)} labels for {question!r}")
    told = tuple("Step " + step.strip() for step in steps)
    return WorkedSteps(question.strip(), told, marks.index("-") if "-" in marks else NO_ERROR)


def prm800k(row: Mapping[str, Any]) -> WorkedSteps:
    """Read {question, label}: the completions that were chosen, up to the first one that is wrong.

    Where none was chosen the labeller wrote the step, or stopped at the first of those that were offered.
    """
    steps = list[str]()
    for number, step in enumerate(row["label"]["steps"]):
        offered, chosen, written = (
            step["completions"] or [],
            step["chosen_completion"],
            step["human_completion"],
        )
        taken = written or (offered[chosen or 0] if offered else None)
        if taken is None:
            break
        steps.append(taken["text"])
        if taken["rating"] == -1:
            return WorkedSteps(row["question"]["problem"], tuple(steps), number)
        if written is None and chosen is None:
            break
    return WorkedSteps(row["question"]["problem"], tuple(steps), NO_ERROR)


LOADERS: dict[str, Callable[[Mapping[str, Any]], WorkedSteps]] = {
    "processbench": processbench,
    "math_shepherd": math_shepherd,
    "prm800k": prm800k,
}


def load(file: Path, layout: str) -> list[WorkedSteps]:
    """Read a JSON array, or JSON lines, of one of the layouts."""
    text = file.read_text(encoding="utf-8")
    is_array = text.lstrip().startswith("[")
    rows = json.loads(text) if is_array else [json.loads(line) for line in text.splitlines()]
    return [LOADERS[layout](row) for row in rows]
