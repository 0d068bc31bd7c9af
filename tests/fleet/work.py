"""What scripted workers do with the folders of a group; each leaves a line that says where it ran."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Start:
    """Where and when a worker ran."""

    cores: list[int]
    gpus: str | None
    began_s: float
    ended_s: float


def starts(folder: Path) -> list[Start]:
    return [Start(**json.loads(line)) for line in (folder / STARTS).read_text().splitlines()]


def note(folders: Sequence[Path], *, seconds: float = 0.0) -> Mapping[Path, str]:
    """Solve a problem in each folder, and say where and when that was."""
    began_s = time.monotonic()
    time.sleep(seconds)
    for folder in folders:
        gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
        start = Start(sorted(os.sched_getaffinity(0)), gpus, began_s, time.monotonic())
        with (folder / STARTS).open("a") as lines:
            print(json.dumps(asdict(start)), file=lines)
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


def die(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Be killed at every start."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def die_first(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Be killed in the first group."""
    return die(folders) if folders[0].name == "0-0" else note(folders)


def die_once(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Be killed at the first start."""
    if (folders[0] / CHILD).exists():
        return note(folders)
    (folders[0] / CHILD).touch()
    return die(folders)


def die_with_a_child(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Be killed at the first start, with a child process that nobody else ends."""
    if (folders[0] / CHILD).exists():
        return note(folders)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (folders[0] / CHILD).write_text(str(child.pid))
    return die(folders)


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
