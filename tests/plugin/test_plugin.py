"""A stranger's strategy is found, configured, refused and run exactly as ours are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

import tts_eval.command.launch  # noqa: F401  (registers the resolver that conf/config.yaml uses)
from tests.conftest import ROOT
from tests.running.cells import sums_cell
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import solve
from tts_eval.protocols import Strategy
from tts_eval.rundir.schema import plain
from tts_eval.running.loop import run_cell
from tts_eval.toolkit.plugin_kit import check_extension

PLUGIN = Path(__file__).resolve().parent


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stranger's package can be imported."""
    monkeypatch.syspath_prepend(str(PLUGIN))


@pytest.fixture
def shortest(installed: None) -> Strategy:
    """The stranger's strategy, composed over Hydra's search path."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        found = "hydra.searchpath=[pkg://stranger.conf]"
        config = compose("config", [found, "strategy=shortest", "strategy.n=3"])
    strategy: Strategy = instantiate(config.strategy)
    return strategy


async def test_it_answers_on_a_scripted_model(shortest: Strategy) -> None:
    replies = [" well it may be </think> \\boxed{40}", " </think> \\boxed{42}", " no"]
    attempt, engine, meter = await solve(shortest, {"": replies})

    assert attempt.answer == "42"
    assert len(engine.requests) == 3
    assert meter.spend().num_generated_tokens == 6 + 2 + 1


async def test_the_run_loop_runs_it(shortest: Strategy, tmp_path: Path) -> None:
    checked, engine = sums_cell(tmp_path / "run", strategy=shortest)
    summary = plain(await run_cell(checked, engine, Grader(GradingPool())))

    assert (summary["num_problems"], summary["num_correct"], summary["num_failed"]) == (3, 2, 0)
    assert summary["tokens"]["generated"] == engine.num_generated_tokens == 3 * 3 * 5


def test_it_spells_its_hooks_right(shortest: Strategy) -> None:
    check_extension(type(shortest))


FOUND_BY = {
    "a search-path plugin": ("strategy=shortest",),
    "--config-dir": ("--config-dir", str(PLUGIN / "stranger" / "conf"), "strategy=shortest"),
    "no file at all": ("~strategy", "+strategy._target_=stranger.shortest.Shortest", "+strategy.n=4"),
}


@pytest.mark.parametrize("arguments", FOUND_BY.values(), ids=FOUND_BY)
def test_the_program_finds_it(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tts_eval", "--cfg", "job", "--package", "strategy", *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{PLUGIN}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "_target_: stranger.shortest.Shortest" in done.stdout.splitlines()


def test_its_refusal_is_told_like_any_other(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tts_eval", "strategy=shortest", "strategy.n=0", "tracking=none"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{PLUGIN}"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr == "tts_eval: strategy.n must be a whole number from 1, not 0\n"
    assert list(tmp_path.iterdir()) == []
