"""Running many cells: those with equal model and engine settings share one engine, one engine at a time."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tts_eval.grading.grader import Grader
from tts_eval.grading.settings import Grading
from tts_eval.rundir.json_lines import NotKept
from tts_eval.running.cell import CheckedCell
from tts_eval.running.deployment import distinct
from tts_eval.running.loop import run_cell
from tts_eval.summary.summary import Summary

WORTH_SAYING_S = 1.0


@dataclass
class Sweep:
    """What came of the cells: summaries in the order they were run, and why the others have none."""

    summaries: list[tuple[CheckedCell, Summary]] = field(default_factory=list)
    failures: list[tuple[CheckedCell, str]] = field(default_factory=list)


async def run_sweep(cells: Sequence[CheckedCell], *, say: Callable[[str], None]) -> Sweep:
    """Run `cells`; an engine that cannot start, or dies, fails the cells it still had to serve alone."""
    sweep = Sweep()
    grading = [checked.cell.grading for checked in cells]
    settings = Grading(
        max(each.num_workers for each in grading), max(each.num_vote_workers for each in grading)
    )
    async with Grader(*settings.pools()) as grader:
        await _tell_unparsed_golds(cells, grader, say)
        for group in sharing_an_engine(cells):
            await _run_group(group, grader, sweep, say)
        if grader.vote_wait_s >= WORTH_SAYING_S:
            say(
                f"votes waited {grader.vote_wait_s:.1f} s for a grading worker, which tta_s holds: "
                "give grading.num_vote_workers more"
            )
    return sweep


def sharing_an_engine(cells: Sequence[CheckedCell]) -> list[list[CheckedCell]]:
    """Group cells with equal models and engine settings, in the order in which each group first comes."""
    groups: list[list[CheckedCell]] = []
    for checked in cells:
        for group in groups:
            if group[0].cell.deployment == checked.cell.deployment:
                group.append(checked)
                break
        else:
            groups.append([checked])
    return groups


async def _tell_unparsed_golds(
    cells: Sequence[CheckedCell], grader: Grader, say: Callable[[str], None]
) -> None:
    unparsed = dict[str, str]()
    for checked in cells:
        golds = {problem.gold: problem.id for problem in checked.problems if problem.gold is not None}
        task = checked.cell.task.with_grader(grader)
        unparsed |= {gold: golds[gold] for gold in await task.unparsed_golds(list(golds))}
    for gold, problem_id in unparsed.items():
        say(f"the gold answer of {problem_id} does not parse; only its own text can equal it: {gold}")


async def _run_group(
    group: Sequence[CheckedCell], grader: Grader, sweep: Sweep, say: Callable[[str], None]
) -> None:
    first, pending = group[0].cell, list(group)
    names = ", ".join(dict.fromkeys(role.model.name for role in first.deployment.roles.values()))
    say(f"starting {names} on {first.deployment.num_gpus} x {first.hardware.name}")
    try:
        async with first.deployment.start() as engines:
            policy, roles = engines["policy"], {name: engines[name] for name in first.roles}
            startup_s = sum(engine.facts.startup_s for engine in distinct(engines))
            say(f"engine ready after {startup_s:.0f} s")
            while pending:
                say(f"{pending[0].cell.name}: {len(pending[0].problems)} problems of {first.task.name}")
                try:
                    summary = await run_cell(pending[0], policy, grader, roles=roles)
                    sweep.summaries.append((pending[0], summary))
                except NotKept as lost:  # its disk is full; another cell's folder may lie elsewhere
                    sweep.failures.append((pending[0], str(lost)))
                del pending[0]
    except Exception as failure:
        if not isinstance(failure, ValueError):
            traceback.print_exc()
        sweep.failures += [(checked, f"{type(failure).__name__}: {failure}") for checked in pending]
