"""Have the fleet that a command line asks for run its cells, and read back what came of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tts_eval.command.compose import part_of
from tts_eval.command.elsewhere import run_folders
from tts_eval.command.table import PLAIN_WIDTH
from tts_eval.fleet.group import Fleet, Group, Say
from tts_eval.running.cell import CheckedCell
from tts_eval.running.continuing import finished_summary
from tts_eval.running.sweep import Sweep, sharing_an_engine

LOGS = ".fleet"  # in the folder of the sweep
UNHEARD = "its worker ended without one"


def fleet_of(config: DictConfig) -> Fleet:
    """Return the fleet that `config` names; ValueError where it is none."""
    fleet = part_of(config, "fleet")
    if not isinstance(fleet, Fleet):
        raise ValueError(f"fleet must be a tts_eval.fleet.group.Fleet, not {type(fleet).__name__}")
    return fleet


def groups_of(cells: Sequence[CheckedCell]) -> list[Group]:
    """Return the groups of `cells`, in the order in which each first comes."""
    return [_group(cells) for cells in sharing_an_engine(cells)]


def _group(cells: Sequence[CheckedCell]) -> Group:
    deployment = cells[0].cell.deployment
    names = dict.fromkeys(role.model.name for role in deployment.roles.values())
    number = f"{len(cells)} cell{'s' if len(cells) > 1 else ''}"
    return Group(
        name=f"{', '.join(names)}: {number}",
        folders=tuple(each.cell.directory for each in cells),
        num_problems=sum(len(each.problems) for each in cells),
        num_gpus=0 if deployment.is_on_cpu else deployment.num_gpus,
    )


def run_elsewhere(fleet: Fleet, cells: Sequence[CheckedCell], root: Path, *, say: Say) -> Sweep:
    """Have `fleet` run `cells`, whose folders are prepared, and read back what came of them."""
    reasons = fleet.run(groups_of(cells), run_folders, folder=root / LOGS, say=say)
    sweep = Sweep()
    for each in cells if fleet.is_followed else ():
        summary = finished_summary(each)
        if summary is not None:
            sweep.summaries.append((each, summary))
        else:
            sweep.failures.append((each, reasons.get(each.cell.directory, UNHEARD)))
    return sweep


def dry_run(cells: Sequence[CheckedCell], *, console: Console | None = None) -> None:
    """Print a row a cell, those that share an engine together; nothing is started or written."""
    table = Table(title="dry run: nothing is started", title_justify="left", title_style="")
    for heading in ("engine", "on", "cell"):
        table.add_column(heading, no_wrap=True)
    for heading in ("problems", "tokens at most"):
        table.add_column(heading, justify="right", no_wrap=True)
    groups = sharing_an_engine(cells)
    for number, (group, sharing) in enumerate(zip(groups_of(cells), groups, strict=True), start=1):
        where = f"{group.num_gpus} x {sharing[0].cell.hardware.name}" if group.num_gpus else "CPU"
        for each in sharing:
            tokens = most_tokens(each)
            shown = "-" if tokens is None else f"{tokens:,}"
            table.add_row(str(number), where, escape(each.cell.name), str(len(each.problems)), shown)
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(table)
    num_gpus = sum(group.num_gpus for group in groups_of(cells))
    console.print(f"{len(cells)} cells on {len(groups)} engines; all at once they would hold {num_gpus} GPUs")


def most_tokens(checked: CheckedCell) -> int | None:
    """Return how many tokens the policy may generate in all, None where the strategy does not say."""
    cell = checked.cell
    longest = max(len(checked.codec.prompt(problem.question)) for problem in checked.problems)
    spend = cell.strategy.max_spend(cell.engine.model_len(cell.model) - longest)
    return None if spend is None else len(checked.problems) * spend.num_tokens
