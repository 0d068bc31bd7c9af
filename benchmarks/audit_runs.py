"""Whether the figures of real runs add up: some fifty small ones of every kind, each audited from its files.

Strategies, verifiers, roles, drafts, loads, budgets, two workers, failed problems and a resumed run, on the
pocket model. Run it as `python -m benchmarks.audit_runs`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

import tts_eval.command.launch  # noqa: F401  (registers the resolver that conf/config.yaml uses)
from tts_eval.auditing.run_audit import audit
from tts_eval.command.compose import cell_of
from tts_eval.options import CONF
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.running.cell import CheckedCell
from tts_eval.running.sweep import run_sweep

SAMPLERS = (
    "strategy=direct",
    "strategy=cot",
    "strategy=cot strategy.temperature=0",
    "strategy=majority_vote strategy.n=4",
    "strategy=budgeted_cot strategy.max_thinking_tokens=64",
    "strategy=adaptive_vote",
    "strategy=self_refine",
    "strategy=early_exit",
    "strategy=doubling",
    "strategy=deepconf_online",
    "strategy=deepconf_offline",
    "strategy=trace_cache",
    "strategy=cascade",
)
STOPPED = ("strategy=budgeted_cot strategy.max_thinking_tokens=64", "strategy=early_exit")  # by stop strings
SCORED = ("weighted_vote", "best_of_n", "beam_search", "dvts", "rebase", "particle_filter", "mcts")
LOADS = (
    "load=sequential",
    "load=concurrent load.k=16",
    "load=poisson load.rate_per_s=20",
    "load=ramp",
    "load=all_at_once",
)
BUDGETS = ("budget.max_tokens=150", "budget.deadline_s=0.2", "budget.deadline_s=0.02")
WEAK = "+model@roles.weak.model=pocket_weak"


@dataclass(frozen=True)
class FailsNowAndThen(Strategy):
    """Solves as `strategy` does, and raises, while it does so, for every third problem that it sees."""

    strategy: Strategy
    seen: list[str]

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Solve `problem`, or fail."""
        self.seen.append(problem.id)
        if len(self.seen) % 3 == 0:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.strategy.solve(problem, llm, verifier))
                group.create_task(_fail())
        return await self.strategy.solve(problem, llm, verifier)


async def _fail() -> None:
    await asyncio.sleep(0.05)
    raise RuntimeError("a problem that fails")


def kinds() -> Iterator[str]:
    """Yield the overrides of every run."""
    yield from SAMPLERS
    for speculation in ("draft", "ngram"):
        for strategy in ("strategy=cot", "strategy=majority_vote strategy.n=4", *STOPPED):
            yield f"{strategy} speculation={speculation}"
        yield f"strategy=majority_vote strategy.n=4 speculation={speculation} budget.deadline_s=0.2"
        yield f"strategy=beam_search verifier=pocket_prm speculation={speculation}"
    for strategy in SCORED:
        yield f"strategy={strategy} verifier=pocket_prm"
    yield "strategy=best_of_n verifier=pocket_orm"
    yield "strategy=best_of_n verifier=mean_logprob"
    for load in LOADS:
        yield f"strategy=majority_vote strategy.n=2 {load}"
    for budget in BUDGETS:
        yield f"strategy=majority_vote strategy.n=4 {budget}"
        yield f"strategy=self_refine {budget}"
    yield f"strategy=cascade strategy.cheap_role=weak {WEAK}"
    yield f"strategy=cascade strategy.cheap_role=weak strategy.threshold=0.0 {WEAK}"
    yield "strategy=speculative_reasoning verifier=pocket_prm +model@roles.draft.model=pocket_weak"
    yield "strategy=cot scheduling.chunk_tokens=32"
    yield "strategy=majority_vote strategy.n=4 engine.tensor_parallel_size=2"


def checked_cell(overrides: str, folder: Path, *, num_problems: int) -> CheckedCell:
    """Return the checked cell of one run."""
    own = overrides.split()
    load = () if "load=" in overrides else ("load=concurrent", "load.k=8")
    settings = ["hydra.runtime.output_dir=out", f"task.limit={num_problems}", "tracking=none"]
    config = compose("config", [*settings, *load, *own], return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    node = OmegaConf.create({"hydra": config.hydra}).hydra
    plain = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return replace(cell_of(plain, node), name=overrides, directory=folder).check()


def failing(checked: CheckedCell, folder: Path) -> CheckedCell:
    """Return the cell with a strategy that fails now and then."""
    strategy = FailsNowAndThen(checked.cell.strategy, [])
    return replace(checked, cell=replace(checked.cell, strategy=strategy, directory=folder))


async def run_and_cut(checked: CheckedCell) -> None:
    """Leave the run as a kill would half-way: without a summary and its last problems."""
    await run_sweep([checked], say=lambda line: None)
    folder = checked.cell.directory
    lines = (folder / "problems.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "problems.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]))
    (folder / "summary.json").unlink()


async def main(arguments: Sequence[str]) -> int:
    """Make the runs and audit them; 0 if the figures of all add up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit_runs", description=__doc__)
    parser.add_argument("--problems", type=int, default=24)
    parser.add_argument("--only", default="", help="runs whose overrides contain this")
    parser.add_argument("--keep", type=Path, help="where the runs are kept")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder: Path = options.keep or Path(scratch)
        with initialize_config_dir(str(CONF), version_base="1.3"):
            cells = [
                checked_cell(overrides, folder / f"{number:02}", num_problems=options.problems)
                for number, overrides in enumerate(kinds())
                if options.only in overrides
            ]
        resumed = replace(cells[0], cell=replace(cells[0].cell, directory=folder / "resumed"))
        await run_and_cut(resumed)
        runs = [*cells, resumed, failing(cells[-1], folder / "failing")]
        sweep = await run_sweep(runs, say=lambda line: print(line, file=sys.stderr))
        for checked, why in sweep.failures:
            print(f"{checked.cell.name}: {why}")
        num_red = sum(report(checked) for checked, _ in sweep.summaries)
    print(f"{len(sweep.summaries)} runs audited, {num_red} do not add up, {len(sweep.failures)} did not run")
    return 1 if num_red or sweep.failures else 0


def report(checked: CheckedCell) -> bool:
    """Print what does not add up in a run; return whether anything does not."""
    faults, remarks = audit(checked.cell.directory)
    print(f"{checked.cell.directory.name} {checked.cell.name}: {len(faults)} faults")
    for line in (*faults[:10], *remarks):
        print(f"  {line}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
