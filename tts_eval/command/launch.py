"""From arguments to an exit code: declare the cells, check them all, run them, show the table."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from tts_eval.command.checkout import check_shelves
from tts_eval.command.complaint import complaint
from tts_eval.command.declaring import Declared, composed, resumed
from tts_eval.command.folders import claim, from_here

if TYPE_CHECKING:
    from tts_eval.running.cell import CheckedCell


class Interrupted(Exception):
    """Ctrl-C, after runs were begun in the folder that the message names."""


def launch(arguments: Sequence[str]) -> int:
    """Run what `arguments` ask for; 0 if every cell has its summary, 1 otherwise, 130 if interrupted."""
    try:
        check_shelves()
        is_resumed = any(argument.startswith("resume=") for argument in arguments)
        declared = resumed(arguments) if is_resumed else composed(lambda cell: _run([cell]))
        return _run(declared) if declared else 0
    except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
        print(f"tts_eval: {complaint(error)}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        resume = f"python -m tts_eval resume={shlex.quote(str(interrupted))}"
        print(f"tts_eval: interrupted; what is finished is kept. The rest: {resume}", file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("tts_eval: interrupted before a run began", file=sys.stderr)
        return 130


def _run(declared: Sequence[Declared]) -> int:
    """Check all cells and their folders, run those that are not finished, and show them all."""
    from tts_eval.command.compose import cell_of
    from tts_eval.command.failures import failure_lines, has_failed
    from tts_eval.command.fleets import dry_run, fleet_of, groups_of, run_elsewhere
    from tts_eval.command.table import print_table
    from tts_eval.rundir.lock import locked
    from tts_eval.running.continuing import check_folder, finished_summary
    from tts_eval.running.sweep import Sweep, run_sweep

    # A typo in the last cell is found before the first one's tokenizer is loaded.
    cells = [replace(cell_of(each.config, each.node), directory=each.folder) for each in declared]
    fleet = fleet_of(declared[0].config)
    checked = [cell.check() for cell in cells]
    fleet.check(groups_of(checked))
    root = declared[0].root
    if declared[0].config.dry_run:
        dry_run(checked)
        return 0
    if declared[0].is_new:  # what is in the folder of that name is another start's
        root, checked = _moved(checked, root, claim(root))
    for each in checked:
        check_folder(each)
    try:
        with ExitStack() as locks:
            sweep, pending = Sweep(), []
            for cell, each in zip(declared, checked, strict=True):
                if (summary := finished_summary(each)) is not None:
                    sweep.summaries.append((each, summary))
                    _say(f"{each.cell.name}: finished before; nothing of it is run again")
                    continue
                each.cell.directory.mkdir(parents=True, exist_ok=True)
                locks.enter_context(locked(each.cell.directory))
                pending.append((cell, each))
            for cell, each in pending:
                cell.keep(each.cell.directory)
            waiting = [each for _, each in pending]
            if fleet.is_here(groups_of(waiting)):
                done = asyncio.run(run_sweep(waiting, say=_say)) if waiting else Sweep()
            else:
                locks.close()  # the workers lock what they run
                done = run_elsewhere(fleet, waiting, root, say=_say)
            sweep = Sweep(sweep.summaries + done.summaries, done.failures)
    except KeyboardInterrupt:
        raise Interrupted(from_here(root)) from None
    if waiting and not fleet.is_followed:
        _say(
            f"the table, once they have ended: python -m tts_eval resume={shlex.quote(str(from_here(root)))}"
        )
        return 0
    place = {each.cell.directory: number for number, each in enumerate(checked)}
    sweep.summaries.sort(key=lambda found: place[found[0].cell.directory])
    print_table(sweep)
    for line in failure_lines(sweep):
        _say(f"tts_eval: {line}")
    return 1 if has_failed(sweep) else 0


def _moved(checked: Sequence[CheckedCell], root: Path, own: Path) -> tuple[Path, list[CheckedCell]]:
    """Return `own` in the place of `root`, and the cells with their folders below it."""
    return own, [
        replace(
            each,
            cell=replace(
                each.cell,
                directory=own / each.cell.directory.relative_to(root),
                group=own.name if each.cell.group else "",
            ),
        )
        for each in checked
    ]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
