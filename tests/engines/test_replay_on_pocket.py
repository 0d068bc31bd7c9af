"""A real run of best-of-n with the pocket reward model, replayed at its own n and at fewer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir

from tests.test_conf import cell
from tts_eval.options import CONF
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.schema import plain
from tts_eval.running.sweep import run_sweep


def run(folder: Path, *overrides: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        built = cell(*overrides, "strategy=best_of_n", "tracking=none")
    checked = replace(built, name=folder.name, directory=folder).check()
    sweep = asyncio.run(run_sweep([checked], say=print))
    assert sweep.failures == []
    [[_, summary]] = sweep.summaries
    return dict(plain(summary))


@pytest.mark.slow
def test_a_replay_at_its_own_n_equals_the_run(tmp_path: Path) -> None:
    real = tmp_path / "run"
    before = run(real, "strategy.n=8", "verifier=pocket_prm", "task.limit=15", "load.k=4")
    after = run(tmp_path / "replay", "strategy.n=8", "engine=replay", f"engine.run={real}")
    fewer = run(tmp_path / "fewer", "strategy.n=4", "engine=replay", f"engine.run={tmp_path / 'replay'}")

    by_problem = [
        {outcome.problem_id: outcome.attempt for outcome in RunDirectory(folder).outcomes()}
        for folder in (real, tmp_path / "replay")
    ]
    assert by_problem[0] == by_problem[1]
    for key in ("num_correct", "flops_per_problem", "flops_per_problem_weights_only"):
        assert after[key] == before[key], key
    for kind in ("prompt", "cached", "generated", "verifier", "draft"):
        assert after["tokens"][kind] == before["tokens"][kind], kind
    assert 0 < fewer["tokens"]["verifier"] < after["tokens"]["verifier"]
    assert 0 < fewer["flops_per_problem"]["total"] < after["flops_per_problem"]["total"]
