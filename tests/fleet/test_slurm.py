"""Groups as submitit jobs, run by its local executor; what sbatch is given, on a machine without Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleet import work
from tests.fleet.test_local import group_of
from tts_eval.fleet.group import Work
from tts_eval.fleet.slurm import SlurmFleet

pytest.importorskip("submitit")
pytestmark = pytest.mark.slow  # submitit waits for the results of a job that was killed


@pytest.mark.parametrize("at_first", [work.die_once, work.be_preempted_once])
def test_a_job_that_is_killed_or_preempted_is_resumed(tmp_path: Path, at_first: Work) -> None:
    groups = work.groups(tmp_path, 0, 0)
    fleet = SlurmFleet(executor="local", time_min=30)
    said: list[str] = []
    reasons = fleet.run(groups, at_first, folder=tmp_path / "logs", say=said.append)

    assert reasons == {}
    assert [len(work.starts(group.folders[0])) for group in groups] == [1, 1]
    lost = sum("lost (" in line for line in said)
    assert lost == (2 if at_first is work.die_once else 0)  # submitit itself queues a preempted job again


def test_a_job_that_is_always_lost_costs_its_cells(tmp_path: Path) -> None:
    [group] = work.groups(tmp_path, 0)
    fleet = SlurmFleet(executor="local", max_restarts=0)
    reasons = fleet.run([group], work.die, folder=tmp_path / "logs", say=print)

    assert reasons[group.folders[0]].startswith("its worker was lost once (job ")


def test_without_waiting_the_jobs_are_only_queued(tmp_path: Path) -> None:
    [group] = work.groups(tmp_path, 0)
    fleet = SlurmFleet(executor="local", wait=False)
    said: list[str] = []

    assert fleet.run([group], work.note, folder=tmp_path / "logs", say=said.append) == {}
    assert not fleet.is_followed
    assert "on local job " in said[0]


def test_the_parameters_of_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "srun").touch(mode=0o755)  # submitit looks for it
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    fleet = SlurmFleet(
        partition="gpu", max_jobs=4, memory_gb=64, setup=["module load x"], options={"nice": 5}
    )
    parameters = fleet._executor(tmp_path, 8).parameters

    assert (
        parameters.items()
        >= {
            "partition": "gpu",
            "array_parallelism": 4,
            "gpus_per_node": 8,
            "cpus_per_task": 8,
            "mem": "64GB",
            "time": 240,
        }.items()
    )
    assert parameters["setup"] == ["module load x"]
    assert parameters["additional_parameters"] == {"requeue": True, "nice": 5}


def test_a_machine_without_slurm_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match=r"needs sbatch, which is not here; allowed: fleet\.executor=local"):
        SlurmFleet().check([group_of(1)])
    SlurmFleet(executor="local").check([group_of(1)])
