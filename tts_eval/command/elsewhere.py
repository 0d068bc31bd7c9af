"""The cells of a group in a worker process: read back from their folders, checked where they run, and run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tts_eval.command.compose import cell_of
from tts_eval.command.declaring import read_back
from tts_eval.rundir.lock import locked
from tts_eval.running.continuing import check_folder, finished_summary
from tts_eval.running.sweep import run_sweep


def run_folders(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Run what the runs in `folders` have left; return why those without a summary have none."""
    try:
        return _run(folders)
    except (ValueError, OSError) as error:
        return dict.fromkeys(folders, str(error))


def _run(folders: Sequence[Path]) -> Mapping[Path, str]:
    declared = [read_back(folder) for folder in folders]
    cells = [replace(cell_of(each.config, each.node), directory=each.folder) for each in declared]
    checked = [cell.check() for cell in cells]
    with ExitStack() as locks:
        for each in checked:
            locks.enter_context(locked(each.cell.directory))
            check_folder(each)
        pending = [each for each in checked if finished_summary(each) is None]
        sweep = asyncio.run(run_sweep(pending, say=_say)) if pending else None
    failures = sweep.failures if sweep else []
    return {each.cell.directory: reason for each, reason in failures}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
