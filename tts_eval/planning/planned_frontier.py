"""Where measured cells would lie on other hardware: measured accuracy against modelled time and dollars.

Answers are taken not to depend on the hardware; a cell that watched a clock, as under a deadline, is none
of these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tts_eval.hardware import Hardware
from tts_eval.planning.files import Row
from tts_eval.planning.model import Node
from tts_eval.planning.ranking import Band, Outlook, rank
from tts_eval.planning.recorded import RecordedRun
from tts_eval.statistics.dominance import undominated

AXES = ("tta_p50_s", "tta_p99_s", "usd_per_problem")


@dataclass(frozen=True, slots=True)
class Prospect:
    """One measured cell on the best plan of another node.

    `accuracy` is measured, all else modelled. `usd_per_correct` is infinite where nothing was correct. `on`
    names the axes on whose frontier of accuracy the cell lies, of the cells looked at together.
    """

    name: str
    accuracy: float
    accuracy_ci95: tuple[float, float]
    outlook: Outlook
    usd_per_correct: Band
    on: tuple[str, ...] = ()


def prospects(
    runs: Sequence[RecordedRun],
    node: Node,
    hardware: Hardware,
    *,
    num_gpus: int,
    rank_by: str,
) -> list[Prospect]:
    """Return each run on its best plan, in the order of the runs.

    Raises:
        ValueError: The runs are not of one task, no plan fits, or a run has no accuracy.
    """
    tasks = {(run.summary.about.task, run.manifest.problems) for run in runs}
    if len(tasks) > 1:
        names = ", ".join(sorted({task for task, _ in tasks}))
        raise ValueError(f"plan.accuracy_from must hold runs over the same problems of one task, not {names}")
    found = [_prospect(run, node, hardware, num_gpus=num_gpus, rank_by=rank_by) for run in runs]
    accuracies = np.array([prospect.accuracy for prospect in found])
    lies_on: list[list[str]] = [[] for _ in found]
    for axis in AXES:
        costs = np.array([_cost(prospect.outlook, axis) for prospect in found])
        for number in np.flatnonzero(undominated(accuracies, costs)):
            lies_on[number].append(axis)
    return [
        Prospect(p.name, p.accuracy, p.accuracy_ci95, p.outlook, p.usd_per_correct, tuple(on))
        for p, on in zip(found, lies_on, strict=True)
    ]


def prospect_rows(found: Sequence[Prospect]) -> list[Row]:
    """Return a row a cell, saying of each figure whether it is measured or modelled."""
    return [
        {
            "cell": prospect.name,
            "accuracy_measured": prospect.accuracy,
            "accuracy_low_measured": prospect.accuracy_ci95[0],
            "accuracy_high_measured": prospect.accuracy_ci95[1],
            "plan": prospect.outlook.plan.name,
            "tta_p50_s_modelled": prospect.outlook.tta_p50_s,
            "tta_p99_s_modelled": prospect.outlook.tta_p99_s,
            "usd_per_problem_modelled": prospect.outlook.usd_per_problem.stated,
            "usd_per_problem_low_modelled": prospect.outlook.usd_per_problem.low,
            "usd_per_problem_high_modelled": prospect.outlook.usd_per_problem.high,
            "usd_per_correct_modelled": prospect.usd_per_correct.stated,
            "on_frontier_of": " ".join(prospect.on),
        }
        for prospect in found
    ]


def _prospect(run: RecordedRun, node: Node, hardware: Hardware, *, num_gpus: int, rank_by: str) -> Prospect:
    accuracy, interval = run.summary.answers.accuracy, run.summary.answers.accuracy_ci95
    if accuracy is None or interval is None:
        raise ValueError(f"{run.name} has no accuracy that could be taken over")
    ranking = rank(
        node,
        hardware,
        run.jobs,
        num_gpus=num_gpus,
        in_flight=run.in_flight,
        rank_by=rank_by,
        simulate=True,
    )
    if not ranking.outlooks:
        reasons = "; ".join(sorted({refusal.reason for refusal in ranking.refusals}))
        raise ValueError(f"no plan of {num_gpus} GPUs can serve {run.name}: {reasons}")
    best = ranking.outlooks[0]
    usd = best.usd_per_problem
    per_correct = Band(*(_per_correct(value, accuracy) for value in (usd.low, usd.stated, usd.high)))
    return Prospect(run.name, accuracy, interval, best, per_correct)


def _per_correct(usd_per_problem: float | None, accuracy: float) -> float | None:
    if usd_per_problem is None:
        return None
    return usd_per_problem / accuracy if accuracy else math.inf


def _cost(outlook: Outlook, axis: str) -> float:
    value = getattr(outlook, axis)
    if isinstance(value, Band):
        value = value.stated
    return math.nan if value is None else float(value)
