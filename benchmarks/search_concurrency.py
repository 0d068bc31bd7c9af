"""Whether searches keep the engine busy: pocket problems all at once, beside the same ones one at a time.

What load and width allow at a moment is the number of unfinished problems times the steps that each may
grow at a time, or the engine's `max_num_seqs` if that is less; the engine's gauges tell how many requests
were running then. Run it as `python -m benchmarks.search_concurrency`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import orjson
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

import tts_eval.command.launch  # noqa: F401  (registers the resolver that conf/config.yaml uses)
from tts_eval.command.compose import cell_of
from tts_eval.options import CONF
from tts_eval.rundir.directory import RunDirectory
from tts_eval.running.cell import CheckedCell
from tts_eval.running.sweep import run_sweep

BAR = 0.8  # of what load and width allow
WIDTH = 16
SEARCHES: Mapping[str, Sequence[str]] = {
    "beam_search": [f"strategy.n={WIDTH}"],
    "dvts": [f"strategy.n={WIDTH}"],
    "mcts": ["strategy.max_simulations=128", f"strategy.in_flight={WIDTH}"],
    "mcts, any order": [
        "strategy.max_simulations=128",
        f"strategy.in_flight={WIDTH}",
        "strategy.in_order=false",
    ],
    "rebase": [f"strategy.n={WIDTH}"],
}
SHARED = (
    "strategy.aggregation=min",
    "strategy.max_step_tokens=64",
)  # a step that runs away holds up its depth


@dataclass(frozen=True)
class Occupancy:
    """Mean numbers of requests over a run, and its wall seconds."""

    num_running: float
    num_allowed: float
    wall_s: float

    @property
    def share(self) -> float:
        """Running requests as a share of the allowed ones."""
        return self.num_running / self.num_allowed


def checked_cell(search: str, load: str, num_problems: int, directory: Path) -> CheckedCell:
    """Return the checked cell of one search under one load."""
    overrides = [f"strategy={search.partition(',')[0]}", *SEARCHES[search], *SHARED]
    settings = [f"load={load}", f"task.limit={num_problems}", "verifier=pocket_prm", "tracking=none"]
    config = compose(
        "config",
        ["hydra.runtime.output_dir=out", *overrides, *settings],
        return_hydra_config=True,
    )
    HydraConfig.instance().set_config(config)
    node = OmegaConf.create({"hydra": config.hydra}).hydra
    plain = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return replace(cell_of(plain, node), name=f"{search}, {load}", directory=directory).check()


def occupancy(directory: Path) -> Occupancy:
    """Read the gauges of a run and work out what was allowed at each of their moments."""
    run = RunDirectory(directory)
    [start] = run.manifest().sessions
    most = start.engine.settings["max_num_seqs"]
    spends = [outcome.spend for outcome in run.outcomes()]
    end_s = max(spend.finished_s for spend in spends)
    running, allowed = [], []
    for line in (directory / "gauges.jsonl").read_bytes().splitlines():
        gauges = orjson.loads(line)
        if 0 < gauges["at_s"] < end_s:
            at_s = gauges["at_s"]
            num_open = sum(spend.arrived_s <= at_s < spend.finished_s for spend in spends)
            running.append(gauges["num_running"])
            allowed.append(min(most, num_open * WIDTH))
    return Occupancy(fmean(running), fmean(allowed), end_s - min(spend.arrived_s for spend in spends))


async def main(arguments: Sequence[str]) -> int:
    """Measure every search under both loads; 0 if all keep the engine busy."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_concurrency", description=__doc__)
    parser.add_argument("--searches", nargs="*", default=list(SEARCHES), choices=SEARCHES)
    parser.add_argument("--problems", type=int, default=64)
    parser.add_argument("--one-at-a-time", type=int, default=16, help="problems of the slow side")
    options = parser.parse_args(arguments)
    loads = {"all_at_once": options.problems, "sequential": options.one_at_a_time}
    with tempfile.TemporaryDirectory() as folder:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            cells = [
                checked_cell(search, load, num_problems, Path(folder) / search / load)
                for search in options.searches
                for load, num_problems in loads.items()
            ]
        sweep = await run_sweep(cells, say=lambda line: print(line, file=sys.stderr))
        if sweep.failures:
            print(*(why for _, why in sweep.failures), sep="\n", file=sys.stderr)
            return 1
        met = [report(search, Path(folder) / search, loads) for search in options.searches]
    return 0 if all(met) else 1


def report(search: str, folder: Path, loads: Mapping[str, int]) -> bool:
    """Print what one search did; return whether the bar is met."""
    together, alone = (occupancy(folder / load) for load in loads)
    a_problem_s = [found.wall_s / n for found, n in zip((together, alone), loads.values(), strict=True)]
    print(
        f"{search}: {together.num_running:.0f} of {together.num_allowed:.0f} allowed requests running "
        f"({together.share:.0%}); {together.wall_s:.1f} s for {loads['all_at_once']} problems, "
        f"one at a time {a_problem_s[1]:.2f} s each, {a_problem_s[1] / a_problem_s[0]:.1f} times as long"
    )
    return together.share >= BAR


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
