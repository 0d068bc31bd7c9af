"""Workers on this machine: each on its own GPUs or cores, restarted where it was lost, none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.fleet import work
from tts_eval.fleet import local
from tts_eval.fleet.group import Group
from tts_eval.fleet.local import LocalFleet

CORES = sorted(os.sched_getaffinity(0))
needs_two_cores = pytest.mark.skipif(len(CORES) < 2, reason="one core")


def have_gpus(monkeypatch: pytest.MonkeyPatch, num_gpus: int) -> None:
    """Name GPUs that no scripted worker touches."""
    monkeypatch.setattr(local, "gpu_names", lambda: tuple(map(str, range(num_gpus))))


def ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@needs_two_cores
def test_two_engines_run_side_by_side_on_cores_of_their_own(tmp_path: Path) -> None:
    groups = work.groups(tmp_path, 0, 0, num_cells=2)
    said: list[str] = []
    reasons = LocalFleet(max_engines=2).run(groups, work.meet, folder=tmp_path / "logs", say=said.append)

    assert reasons == {}
    first, second = (set(work.starts(group.folders[1])[0].cores) for group in groups)
    assert first and second and not first & second
    assert [path.read_text() for path in sorted((tmp_path / "logs").iterdir())] == ["solved 2\n"] * 2
    assert sum("2 problems done" in line for line in said) == 2


def test_groups_are_packed_onto_gpus_the_largest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_gpus(monkeypatch, 4)
    groups = work.groups(tmp_path, 1, 1, 3)
    reasons = LocalFleet().run(groups, partial(work.note, seconds=0.2), folder=tmp_path / "logs", say=print)

    assert reasons == {}
    starts = [start for group in groups for start in work.starts(group.folders[0])]
    assert starts[2].gpus == "0,1,2"
    for number, one in enumerate(starts):
        for other in starts[:number]:
            share = set(str(one.gpus).split(",")) & set(str(other.gpus).split(","))
            assert not share or one.ended_s <= other.began_s or other.ended_s <= one.began_s


def test_a_lost_worker_is_restarted_and_leaves_no_process(tmp_path: Path) -> None:
    [group] = work.groups(tmp_path, 0)
    said: list[str] = []
    reasons = LocalFleet().run([group], work.die_with_a_child, folder=tmp_path / "logs", say=said.append)

    assert reasons == {}
    assert len(work.starts(group.folders[0])) == 1
    assert any("lost (killed by SIGKILL)" in line for line in said)
    assert ended(int((group.folders[0] / work.CHILD).read_text()))


def test_a_worker_that_is_always_lost_costs_its_own_cells_alone(tmp_path: Path) -> None:
    doomed, sound = work.groups(tmp_path, 0, 0)
    fleet = LocalFleet(max_restarts=0)
    reasons = fleet.run([doomed, sound], work.die_first, folder=tmp_path / "logs", say=print)

    log = tmp_path / "logs" / "1.log"
    assert reasons == {doomed.folders[0]: f"its worker was lost once (killed by SIGKILL; log: {log})"}
    assert len(work.starts(sound.folders[0])) == 1


DRIVER = """
from pathlib import Path
from tests.fleet import work
from tts_eval.fleet.local import LocalFleet
if __name__ == "__main__":
    root = Path("sweep")
    root.mkdir()
    LocalFleet().run(work.groups(root, 0), work.wait_for_ever, folder=root / "logs", say=print)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_command(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    driver = subprocess.Popen(
        [sys.executable, "driver.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    pid = work_pid(tmp_path / "sweep" / "0-0" / work.CHILD)
    driver.send_signal(how)
    driver.wait(60)
    for _ in range(600):
        if ended(pid):
            return
        time.sleep(0.05)
    raise AssertionError("the worker outlived the command")


def work_pid(file: Path) -> int:
    for _ in range(1200):
        if file.exists() and (text := file.read_text()):
            return int(text)
        time.sleep(0.05)
    raise AssertionError("no worker came up")


def group_of(num_gpus: int) -> Group:
    return Group("model: 1 cell", (Path("run"),), 1, num_gpus)


def test_what_can_never_run_here_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"fleet\.max_engines=1000 engines side by side need a core each"):
        LocalFleet(max_engines=1000).check([group_of(0)])
    have_gpus(monkeypatch, 4)
    with pytest.raises(ValueError, match="its engine holds 8 GPUs, but fleet=local has 4"):
        LocalFleet().check([group_of(2), group_of(8)])
    with pytest.raises(ValueError, match="names GPU 7, which is not here; allowed: 0, 1, 2, 3"):
        LocalFleet(gpus=[0, 7]).check([group_of(1)])
    LocalFleet(gpus=[0, 3]).check([group_of(2)])


@pytest.mark.parametrize(
    ("num_gpus", "sizes", "max_engines", "is_here"),
    [
        (0, (0, 0), None, True),
        (0, (0, 0), 2, False),
        (8, (4,), None, True),
        (8, (4, 4), None, False),
        (8, (8, 4, 8), None, True),
        (8, (4, 4), 1, True),
        (1, (1, 1), 2, True),
    ],
)
def test_engines_run_in_this_process_where_none_can_run_beside_another(
    monkeypatch: pytest.MonkeyPatch,
    num_gpus: int,
    sizes: tuple[int, ...],
    max_engines: int | None,
    is_here: bool,
) -> None:
    have_gpus(monkeypatch, num_gpus)
    assert LocalFleet(max_engines=max_engines).is_here(list(map(group_of, sizes))) is is_here
