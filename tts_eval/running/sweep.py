"""Running many cells: those with equal model and engine settings share one engine, one engine at a time.

Knows no Hydra and no figure.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.running.cell import CheckedCell
from tts_eval.running.run import run_cell
from tts_eval.running.summary import Summary


@dataclass
class Sweep:
    """What came of the cells: summaries in the order they were run, and why the others have none."""

    summaries: list[tuple[CheckedCell, Summary]] = field(default_factory=list)
    failures: list[tuple[CheckedCell, str]] = field(default_factory=list)


async def run_sweep(cells: Sequence[CheckedCell], *, say: Callable[[str], None]) -> Sweep:
    """Run `cells`; an engine that cannot start, or dies, fails the cells it still had to serve alone."""
    sweep = Sweep()
    async with Grader(GradingPool()) as grader:
        await _tell_unparsed_golds(cells, grader, say)
        for group in sharing_an_engine(cells):
            await _run_group(group, grader, sweep, say)
    return sweep


def sharing_an_engine(cells: Sequence[CheckedCell]) -> list[list[CheckedCell]]:
    """Group cells whose model and engine settings are equal, in the order in which each group first comes."""
    groups: list[list[CheckedCell]] = []
    for checked in cells:
        for group in groups:
            first = group[0].cell
            if (first.model, first.engine) == (checked.cell.model, checked.cell.engine):
                group.append(checked)
                break
        else:
            groups.append([checked])
    return groups


async def _tell_unparsed_golds(
    cells: Sequence[CheckedCell], grader: Grader, say: Callable[[str], None]
) -> None:
    golds = {problem.gold: problem.id for checked in cells for problem in checked.problems}
    for gold in await grader.check_golds(list(golds)):
        say(f"the gold answer of {golds[gold]} does not parse; only its own text can equal it: {gold}")


async def _run_group(
    group: Sequence[CheckedCell], grader: Grader, sweep: Sweep, say: Callable[[str], None]
) -> None:
    first, pending = group[0].cell, list(group)
    say(f"starting {first.model.name} on {first.engine.num_gpus} x {first.hardware.name}")
    try:
        async with first.engine.start(first.model) as engine:
            say(f"engine ready after {engine.facts.startup_s:.0f} s")
            while pending:
                say(f"{pending[0].cell.name}: {len(pending[0].problems)} problems of {first.task.name}")
                sweep.summaries.append((pending[0], await run_cell(pending[0], engine, grader)))
                del pending[0]
    except Exception as failure:
        if not isinstance(failure, ValueError):
            traceback.print_exc()
        sweep.failures += [(checked, f"{type(failure).__name__}: {failure}") for checked in pending]
