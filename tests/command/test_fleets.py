"""Fleets on the command line: what is said of a mistake, and a sweep on workers as one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tests.conftest import ROOT
from tts_eval.command.launch import launch
from tts_eval.rundir.directory import RunDirectory

CHEAP = (f"hydra.searchpath=[file://{ROOT}/tests/command/conf]", "engine=parrot", "task.limit=3")

Call = Callable[[Sequence[str]], int]


def test_where_cells_run_is_no_part_of_their_names() -> None:
    config = OmegaConf.load(ROOT / "conf" / "config.yaml")
    left_out = set(config.hydra.job.config.override_dirname.exclude_keys)
    settings = {
        f"fleet.{name}"
        for file in (ROOT / "conf" / "fleet").glob("*.yaml")
        for name in map(str, OmegaConf.load(file))
        if name != "_target_"
    }
    assert left_out == settings | {"fleet", "dry_run"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fleet=moon"], "'fleet/moon' does not exist; allowed: local, ray, slurm"),
        (["fleet.max_engines=0"], "fleet.max_engines must be a whole number from 1, not 0"),
        (["fleet.max_engines=1000"], "engines side by side need a core each; this machine has"),
        (["fleet.gpus=[99]"], "fleet.gpus names GPU 99, which is not here"),
        (["-m", "fleet.max_restarts=1,2"], "fleet is where all cells of a sweep run: give one fleet"),
        (
            ["fleet.partition=gpu"],
            "fleet has no setting 'partition'; allowed: gpus, max_engines",
        ),
    ],
)
def test_a_mistake_is_one_line(refused: Callable[..., str], arguments: list[str], says: str) -> None:
    assert says in refused(*arguments)


def test_a_dry_run_starts_nothing(call: Call, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["-m", *CHEAP, "engine.echo=1,2", "seed=0,1", "dry_run=true"]) == 0
    shown = capsys.readouterr().out
    assert "4 cells on 2 engines" in shown
    assert shown.count("engine.echo=2") == 2
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_a_sweep_on_two_workers_is_the_sweep_one_at_a_time(
    call: Call, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = ["-m", *CHEAP, "engine.echo=1,2", "hydra.sweep.dir=one"]
    assert call(sweep) == 0
    assert call([*sweep[:-1], "hydra.sweep.dir=two", "fleet.max_engines=2"]) == 0
    one, two = (
        {path.parent.name: path.parent for path in (here / name).glob("*/summary.json")}
        for name in ("one", "two")
    )
    assert one.keys() == two.keys()
    assert len(one) == 2
    for name, folder in one.items():
        solved = [[each.problem_id for each in RunDirectory(run).outcomes()] for run in (folder, two[name])]
        assert sorted(solved[0]) == sorted(solved[1])
    assert launch(["resume=two", "fleet=local"]) == 0
    assert "finished before" in capsys.readouterr().err
