"""What is shown of a few cells and problems alone: curves, gauges over time, traces and search trees.

A hundred curves would be illegible and their traces would not fit into a page; which are chosen is said
where they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tts_eval.analysis.anytime import anytime
from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.scaling import Scaling, scaling
from tts_eval.reporting.group import ONE_WORKER, Group, plain
from tts_eval.rundir.directory import RunDirectory

NUM_CURVES = 8  # as many as there are colours that the colour-blind tell apart
NUM_GAUGED = 6
NUM_READINGS = 200
NUM_PROBLEMS = 3
NUM_ATTEMPTS = 4
NUM_CANDIDATES = 8
NUM_NODES = 300
MAX_CHARS = 3000
GAUGES = (
    "num_running",
    "num_waiting",
    "kv_cache_usage",
    "host_utilization",
    "host_memory_bytes",
    "gpu_utilization",
    "gpu_memory_bytes",
    "gpu_power_w",
)
FAMILY = ["model", "strategy", "verifier", "speculation", "parallelism", "hardware", "provenance"]


def anytime_curves(group: Group) -> list[dict[str, Any]]:
    """Return accuracy at each deadline of the first cells on a frontier that have times."""
    chosen = [name for name in group.on_a_frontier if _is_timed(group, name)][:NUM_CURVES]
    if not chosen:
        return []
    table = anytime(group.restricted(chosen))
    return [
        {
            "cell": name,
            **{key: [plain(value) for value in mine[key]] for key in ("deadline_s", "accuracy")},
            **{key: [plain(value) for value in mine[key]] for key in ("low", "high")},
        }
        for name, mine in table.groupby("cell", sort=False)
    ]


def scaling_curves(group: Group) -> list[dict[str, Any]]:
    """Return the fits of accuracy against generated tokens, of each family of three cells and more.

    A family has the model, the strategy and all else that is labelled in common; its cells differ in budget.
    """
    axis = axis_of("tokens_per_problem")
    tokens = pd.Series(group.cells.cost(axis), index=list(group.cells.names))
    labels_of = group.cells.describe().assign(parallelism=pd.Series(group.parallelism))
    families = labels_of.fillna("none").groupby(FAMILY, sort=False)
    found = []
    for labels, members in families:
        names = [str(name) for name in members.index if tokens[name] > 0]
        if tokens[names].nunique() < 3:
            continue
        fits = scaling(group.cells, names, axis=axis.name)
        x = np.geomspace(tokens[names].min(), tokens[names].max(), 60)
        found.append(
            {
                "family": ", ".join(str(label) for label in labels if label not in ("none", ONE_WORKER)),
                "cells": sorted(names, key=lambda name: tokens[name]),
                "x": [plain(value) for value in x],
                "y": [plain(value) for value in _fitted(fits, x)],
                **_of_fits(fits),
            }
        )
    return found


def _fitted(fits: Scaling, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if fits.saturating is not None:
        curve = fits.saturating
        return np.asarray(curve.ceiling.value - curve.scale.value * x**-curve.exponent.value)
    line = fits.log_linear
    return np.asarray(line.at_one.value + line.gain_per_doubling.value * np.log2(x))


def _of_fits(fits: Scaling) -> dict[str, Any]:
    line, curve = fits.log_linear, fits.saturating
    estimates = {
        "gain_per_doubling": line.gain_per_doubling,
        **({} if curve is None else {"ceiling": curve.ceiling, "saturates_at": curve.saturates_at}),
    }
    return {name: [plain(one.value), *map(plain, one.ci95)] for name, one in estimates.items()}


def gauges_over_time(group: Group) -> list[dict[str, Any]]:
    """Return the engine and its machine over the last session of a run of the first cells on a frontier."""
    found = []
    for name in group.on_a_frontier:
        run = first_run(group, name)
        lines = list(RunDirectory(Path(run)).lines("gauges"))
        lines = [line for line in lines if line["session"] == lines[-1]["session"]]
        lines = lines[:: max(1, -(-len(lines) // NUM_READINGS))]
        series = {key: [plain(line.get(key)) for line in lines] for key in GAUGES}
        known = {key: values for key, values in series.items() if any(v is not None for v in values)}
        if len(lines) > 1:
            at_s = [plain(line["at_s"] - lines[0]["at_s"]) for line in lines]
            found.append({"cell": name, "run": Path(run).name, "at_s": at_s, "series": known})
        if len(found) == NUM_GAUGED:
            break
    return found


def single_problems(group: Group) -> list[dict[str, Any]]:
    """Return the problems on which the cells differ most, as the first cells on a frontier solved them."""
    spread = group.cells.accuracies.std(axis=0)
    problems = [group.cells.problems[place] for place in np.argsort(-spread, kind="stable")[:NUM_PROBLEMS]]
    # A tree is worth more than one vote more: searches come first.
    lines_of = {name: _lines(group, name, problems) for name in group.on_a_frontier[: 3 * NUM_ATTEMPTS]}
    chosen = sorted(lines_of, key=lambda name: not any(_tree(line) for line in lines_of[name].values()))
    found = []
    for problem in problems:
        lines = [(name, lines_of[name][problem]) for name in chosen[:NUM_ATTEMPTS]]
        if lines:
            gold, level = lines[0][1]["gold"], lines[0][1]["level"]
            attempts = [_attempt(name, line) for name, line in lines]
            found.append({"problem": problem, "gold": gold, "level": level, "attempts": attempts})
    return found


def _lines(group: Group, name: str, problems: list[str]) -> dict[str, dict[str, Any]]:
    lines = RunDirectory(Path(first_run(group, name))).lines("problems")
    return {line["problem_id"]: line for line in lines if line["problem_id"] in problems}


def _attempt(name: str, line: dict[str, Any]) -> dict[str, Any]:
    attempt = line["attempt"] or {"answer": None, "candidates": []}
    candidates = attempt["candidates"]
    spend = line["spend"]
    is_timed = spend.get("finished_s") is not None and spend.get("arrived_s") is not None
    return {
        "cell": name,
        "answer": attempt["answer"],
        "verdict": line["grade"]["verdict"],
        "error": line["error"],
        "tta_s": plain(spend["finished_s"] - spend["arrived_s"]) if is_timed else None,
        "num_candidates": len(candidates),
        "candidates": [
            {
                "answer": candidate["answer"],
                "num_tokens": candidate["num_tokens"],
                "score": plain(candidate["score"]),
                "step_scores": candidate.get("step_scores"),
                "text": _cut(candidate["text"]),
            }
            for candidate in candidates[:NUM_CANDIDATES]
        ],
        "num_nodes": len(_tree(line)),
        "tree": [
            {
                **{key: plain(value) for key, value in node.items() if key != "text"},
                "text": _cut(node["text"], 300),
            }
            for node in _tree(line)[:NUM_NODES]
        ],
    }


def _tree(line: dict[str, Any]) -> list[dict[str, Any]]:
    return list((line["attempt"] or {}).get("tree") or ())


def _cut(text: str, most: int = MAX_CHARS) -> str:
    return (
        text if len(text) <= most else f"{text[: most // 2]}\n[… {len(text) - most} …]\n{text[-most // 2 :]}"
    )


def first_run(group: Group, name: str) -> str:
    """Return the folder of the first run of the cell called `name`."""
    runs = group.frames.runs
    return str(runs.index[runs["cell"] == name][0])


def _is_timed(group: Group, name: str) -> bool:
    problems = group.frames.problems
    return bool(problems.loc[problems["cell"] == name, "tta_s"].notna().any())
