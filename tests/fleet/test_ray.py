"""Groups as Ray tasks: on a real Ray of this machine, and on nodes that have GPUs in name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import work
from tests.fleet.test_local import group_of
from tts_eval.fleet.ray import RayFleet

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow  # a Ray starts in seconds


def scripted(folders: tuple[Path, ...]) -> dict[Path, str]:
    """Die at the first start or at each, or note where this is, as the group's number says."""
    kind = folders[0].name[0]
    return dict({"0": work.note, "1": work.die_once, "2": work.die}[kind](folders))


def test_on_a_ray_of_this_machine_lost_workers_are_restarted(tmp_path: Path) -> None:
    groups = work.groups(tmp_path, 1, 0, 0)
    fleet = RayFleet(num_cpus=2, num_gpus=1, max_restarts=1)
    fleet.check(groups)
    reasons = fleet.run(groups, scripted, folder=tmp_path / "logs", say=print)  # type: ignore[arg-type]

    noted, restarted, lost = (group.folders[0] for group in groups)
    assert work.starts(noted)[0].gpus == "0"
    assert len(work.starts(restarted)) == 1
    assert reasons == {
        lost: f"its worker was lost 2 times (WorkerCrashedError; log: {tmp_path / 'logs' / '3.log'})"
    }
    assert not ray.is_initialized()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two nodes with two GPUs each, in name."""
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 2, "num_gpus": 2, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.add_node(**node)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


def test_sizes_are_checked_against_the_cluster(address: str, tmp_path: Path) -> None:
    fleet = RayFleet(address=address)
    with pytest.raises(ValueError, match="holds 3 GPUs, but its largest node has 2 on fleet=ray"):
        fleet.check([group_of(3)])
    with pytest.raises(ValueError, match="holds 5 GPUs, but the cluster has 4 on fleet=ray"):
        fleet.check([replace(group_of(5), spans_nodes=True)])

    [group] = work.groups(tmp_path, 4)
    group = replace(group, spans_nodes=True)
    fleet.check([group])
    assert fleet.run([group], work.note, folder=tmp_path / "logs", say=print) == {}
    assert len(work.starts(group.folders[0])) == 1


def test_no_cluster_at_the_address_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"fleet\.address=127\.0\.0\.1:1: no Ray cluster answers"):
        RayFleet(address="127.0.0.1:1").check([group_of(1)])


def test_a_ray_of_this_machine_has_what_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="holds 9 GPUs, but its largest node has 8 on fleet=ray"):
        RayFleet(num_gpus=8).check([group_of(9)])
    with pytest.raises(ValueError, match="give them or fleet"):
        RayFleet(address="auto", num_gpus=8)
