"""What scripted workers do with the folders of a group; each leaves a line that says where it ran."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tts_eval.fleet.group import Group

STARTS, CHILD, PROBLEMS = "starts.jsonl", "child", "problems.jsonl"


def groups(root: Path, *sizes: int, num_cells: int = 1) -> list[Group]:
    """Return a group for each number of GPUs, with folders that are made."""
    made = []
    for number, num_gpus in enumerate(sizes):
        folders = tuple(root / f"{number}-{cell}" for cell in range(num_cells))
        for folder in folders:
            folder.mkdir()
        made.append(Group(f"group {number}", folders, num_cells, num_gpus))
    return made


def starts(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / STARTS).read_text().splitlines()]


def note(folders: Sequence[Path], *, seconds: float = 0.0) -> Mapping[Path, str]:
    """Solve a problem in each folder, and say where and when that was."""
    begun = time.monotonic()
    time.sleep(seconds)
    for folder in folders:
        line = {
            "cores": sorted(os.sched_getaffinity(0)),
            "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "directory": os.getcwd(),
            "time": (begun, time.monotonic()),
        }
        with (folder / STARTS).open("a") as lines:
            print(json.dumps(line), file=lines)
        with (folder / PROBLEMS).open("a") as lines:
            print("{}", file=lines)
    print(f"solved {len(folders)}")
    return {}


def meet(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Wait until the worker of a second group is there too: none goes on alone."""
    (folders[0] / "here").touch()
    for _ in range(1200):
        if len(list(folders[0].parent.glob("*/here"))) >= 2:
            return note(folders)
        time.sleep(0.05)
    return {folders[0]: "nobody came"}


def die_once(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Be killed at the first start, with a child process running."""
    if not (folders[0] / CHILD).exists():
        die(folders)
    return note(folders)


def die(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Be killed at every start, with a child process running."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (folders[0] / CHILD).write_text(str(child.pid))
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def be_preempted_once(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Get the signal by which Slurm warns of a preemption, at the first start."""
    if not (folders[0] / CHILD).exists():
        (folders[0] / CHILD).touch()
        os.kill(os.getpid(), signal.SIGUSR2)
        time.sleep(60)
    return note(folders)


def wait_for_ever(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Leave the process id in each folder and sleep."""
    for folder in folders:
        (folder / CHILD).write_text(str(os.getpid()))
    time.sleep(600)
    return {}
