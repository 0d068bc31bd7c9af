"""What is shown of a few cells and problems alone: curves, gauges over time, traces and search trees.

A hundred curves would be illegible and their traces would not fit into a page; which are chosen is said
where they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tts_eval.analysis.anytime import anytime
from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.scaling import Scaling, scaling
from tts_eval.records import TreeNode
from tts_eval.reporting.group import ONE_WORKER, Group, plain
from tts_eval.reporting.parts import (
    AttemptView,
    CandidateView,
    Curve,
    EstimateView,
    Family,
    GaugeSeries,
    NodeView,
    ProblemView,
)
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.outcome import Outcome
from tts_eval.statistics.scaling import Estimate

NUM_CURVES = 8  # as many as there are colours that the colour-blind tell apart
NUM_GAUGED = 6
NUM_READINGS = 200
NUM_PROBLEMS = 3
NUM_ATTEMPTS = 4
NUM_CANDIDATES = 8
NUM_NODES = 300
MAX_CHARS = 3000
OF_ENGINE = ("num_running", "num_waiting", "kv_cache_usage")
OF_MACHINE = (
    "host_utilization",
    "host_memory_bytes",
    "gpu_utilization",
    "gpu_memory_bytes",
    "gpu_power_w",
)
FAMILY = ["model", "strategy", "verifier", "speculation", "parallelism", "hardware", "provenance"]


def anytime_curves(group: Group) -> list[Curve]:
    """Return accuracy at each deadline of the first cells on a frontier that have times."""
    chosen = [name for name in group.on_a_frontier if _is_timed(group, name)][:NUM_CURVES]
    if not chosen:
        return []
    table = anytime(group.restricted(chosen))
    return [
        Curve(
            str(name),
            deadline_s=_plain(mine["deadline_s"]),
            accuracy=_plain(mine["accuracy"]),
            low=_plain(mine["low"]),
            high=_plain(mine["high"]),
        )
        for name, mine in table.groupby("cell", sort=False)
    ]


def scaling_curves(group: Group) -> list[Family]:
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
            Family(
                family=", ".join(str(label) for label in labels if label not in ("none", ONE_WORKER)),
                cells=sorted(names, key=lambda name: tokens[name]),
                x=_plain(x),
                y=_plain(_fitted(fits, x)),
                gain_per_doubling=_estimate(fits.log_linear.gain_per_doubling),
                ceiling=None if fits.saturating is None else _estimate(fits.saturating.ceiling),
                saturates_at=None if fits.saturating is None else _estimate(fits.saturating.saturates_at),
            )
        )
    return found


def _fitted(fits: Scaling, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if fits.saturating is not None:
        curve = fits.saturating
        return np.asarray(curve.ceiling.value - curve.scale.value * x**-curve.exponent.value)
    line = fits.log_linear
    return np.asarray(line.at_one.value + line.gain_per_doubling.value * np.log2(x))


def _estimate(fitted: Estimate) -> EstimateView:
    return EstimateView.of(fitted.value, *fitted.ci95)


def _plain(values: Iterable[float]) -> list[float]:
    return [plain(value) for value in values]


def gauges_over_time(group: Group) -> list[GaugeSeries]:
    """Return the engine and its machine over the last session of a run of the first cells on a frontier."""
    found = []
    for name in group.on_a_frontier:
        run = Path(first_run(group, name))
        directory = RunDirectory(run)
        readings = list(zip(directory.gauges(), directory.machine(), strict=True))
        last = [
            (at_s, gauges, shown)
            for (session, gauges), (_, at_s, shown) in readings
            if session == readings[-1][0][0]
        ]
        last = last[:: max(1, -(-len(last) // NUM_READINGS))]
        if len(last) > 1:
            series = {key: [plain(getattr(gauges, key)) for _, gauges, _ in last] for key in OF_ENGINE}
            series |= {key: [plain(getattr(shown, key)) for _, _, shown in last] for key in OF_MACHINE}
            known = {key: values for key, values in series.items() if any(v is not None for v in values)}
            at_s = [plain(at_s - last[0][0]) for at_s, _, _ in last]
            found.append(GaugeSeries(name, run.name, at_s, known))
        if len(found) == NUM_GAUGED:
            break
    return found


def single_problems(group: Group) -> list[ProblemView]:
    """Return the problems on which the cells differ most, as the first cells on a frontier solved them."""
    spread = group.cells.accuracies.std(axis=0)
    problems = [group.cells.problems[place] for place in np.argsort(-spread, kind="stable")[:NUM_PROBLEMS]]
    # A tree is worth more than one vote more: searches come first.
    solved = {name: _solved(group, name, problems) for name in group.on_a_frontier[: 3 * NUM_ATTEMPTS]}
    chosen = sorted(solved, key=lambda name: not any(_tree(outcome) for outcome in solved[name].values()))
    found = []
    for problem in problems:
        outcomes = [(name, solved[name][problem]) for name in chosen[:NUM_ATTEMPTS]]
        if outcomes:
            first = outcomes[0][1]
            attempts = [_attempt(group, name, outcome) for name, outcome in outcomes]
            found.append(ProblemView(problem, first.gold, first.level, attempts))
    return found


def _solved(group: Group, name: str, problems: Collection[str]) -> dict[str, Outcome]:
    outcomes = RunDirectory(Path(first_run(group, name))).outcomes()
    return {outcome.problem_id: outcome for outcome in outcomes if outcome.problem_id in problems}


def _attempt(group: Group, name: str, outcome: Outcome) -> AttemptView:
    candidates = outcome.attempt.candidates if outcome.attempt else ()
    tree = _tree(outcome)
    return AttemptView(
        cell=name,
        answer=outcome.attempt.answer if outcome.attempt else None,
        verdict=outcome.grade.verdict,
        error=outcome.error,
        tta_s=plain(outcome.spend.tta_s) if _is_timed(group, name) else None,
        num_candidates=len(candidates),
        candidates=[
            CandidateView(
                answer=candidate.answer,
                num_tokens=candidate.num_tokens,
                score=plain(candidate.score),
                step_scores=candidate.step_scores,
                text=_cut(candidate.text),
            )
            for candidate in candidates[:NUM_CANDIDATES]
        ],
        num_nodes=len(tree),
        tree=[
            NodeView(
                parent=node.parent,
                text=_cut(node.text, 300),
                score=plain(node.score),
                num_visits=node.num_visits,
                value=plain(node.value),
                answer=node.answer,
            )
            for node in tree[:NUM_NODES]
        ],
    )


def _tree(outcome: Outcome) -> Sequence[TreeNode]:
    return outcome.attempt.tree if outcome.attempt else ()


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
