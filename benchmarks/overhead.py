"""What the run loop costs: the same greedy requests through it and through a bare AsyncLLM, on one engine.

Knows nothing of accuracy. The sides take turns, each from an empty prefix cache; one round of each goes
unmeasured. `bare` is vLLM without anything of ours: no gauges, no token times. `arrivals` counts from a run's
first arrival to its last answer, `no gauges` likewise with gauges and token times off, `whole run` also a
run's manifest, summary and files. Run it as `python -m benchmarks.overhead`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from strategies.cot import Cot
from tasks.pocket import PocketTask
from tts_eval.engines.vllm import VllmEngine
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.hardware import Hardware
from tts_eval.model import Model
from tts_eval.running.cell import Cell, CheckedCell
from tts_eval.running.directory import RunDirectory
from tts_eval.running.loads import Concurrent
from tts_eval.running.run import run_cell
from tts_eval.tracking.none import NoTracking

BARS = {"arrivals": 1.02, "whole run": 1.05}  # at most so many times the bare engine's wall time
SIDES = ("bare", "no gauges", "all")


@dataclass(frozen=True)
class Round:
    """One measurement: seconds, and how many tokens each problem got."""

    wall_s: float
    num_tokens: dict[str, int]


def pocket(folder: str) -> Model:
    """Return the model in `folder`, with the markers of the pocket models."""
    return Model(
        "overhead",
        folder,
        thinking_start="<think>",
        thinking_end="</think>",
        starts_thinking=True,
        dtype="float32",
    )


def cell_of(model: Model, *, in_flight: int, num_problems: int, max_tokens: int) -> CheckedCell:
    """Return a checked greedy cell; its directory is set anew for each round."""
    cell = Cell(
        name="overhead",
        group="",
        labels={"strategy": "cot", "load": "concurrent", "engine": "vllm"},
        model=model,
        engine=VllmEngine(),
        task=PocketTask(limit=num_problems),
        strategy=Cot(max_tokens=max_tokens),
        verifier=None,
        load=Concurrent(in_flight),
        hardware=Hardware("this machine", usd_per_gpu_hour=1.0),
        tracking=NoTracking(),
        seed=0,
        directory=Path(),
        config={},
    )
    return cell.check()


@contextlib.contextmanager
def unwatched(llm: Any) -> Iterator[None]:
    """Take our gauges and token times off `llm` for a while."""
    loggers, process = llm.logger_manager.stat_loggers, llm.output_processor.process_outputs
    llm.logger_manager.stat_loggers = [
        each for each in loggers if type(each).__name__.startswith("Prometheus")
    ]
    del llm.output_processor.process_outputs  # ours; vLLM's own is the class's
    try:
        yield
    finally:
        llm.logger_manager.stat_loggers = loggers
        llm.output_processor.process_outputs = process


async def bare(llm: Any, prompts: dict[str, tuple[int, ...]], *, in_flight: int, max_tokens: int) -> Round:
    """Draw one greedy sample a prompt as the shortest program on AsyncLLM would."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    await llm.reset_prefix_cache()
    params = SamplingParams(temperature=0.0, max_tokens=max_tokens, output_kind=RequestOutputKind.FINAL_ONLY)
    num_tokens: dict[str, int] = {}
    waiting = iter(prompts.items())

    async def user() -> None:
        for name, ids in waiting:
            request: Any = {"prompt_token_ids": list(ids)}
            async for output in llm.generate(request, params, f"bare-{name}"):
                num_tokens[name] = len(output.outputs[0].token_ids)

    began_s = time.monotonic()
    await asyncio.gather(*(user() for _ in range(in_flight)))
    return Round(time.monotonic() - began_s, num_tokens)


async def looped(checked: CheckedCell, engine: Any, grader: Grader) -> tuple[Round, Round]:
    """Run the cell in a new folder; return the round from its arrivals to its answers, and all of it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        directory = RunDirectory(Path(folder))
        here = replace(checked, cell=replace(checked.cell, directory=directory.path))
        began_s = time.monotonic()
        summary = await run_cell(here, engine, grader)
        wall_s = time.monotonic() - began_s
        num_tokens = {o.problem_id: o.spend.num_generated_tokens for o in directory.outcomes()}
    assert summary["num_failed"] == 0
    return Round(summary["wall_s"], num_tokens), Round(wall_s, num_tokens)


async def compare(
    checked: CheckedCell, engine: Any, grader: Grader, *, num_pairs: int
) -> dict[str, list[float]]:
    """Return the seconds of each side, pair by pair; refuses pairs that did not generate the same."""
    cell = checked.cell
    assert isinstance(cell.load, Concurrent) and isinstance(cell.strategy, Cot)
    max_tokens = cell.strategy.max_tokens or 1
    prompts = {problem.id: checked.codec.prompt(problem.question) for problem in checked.problems}
    seconds: dict[str, list[float]] = {side: [] for side in ("bare", "no gauges", "arrivals", "whole run")}
    for pair in range(num_pairs + 1):
        sides: dict[str, Round] = {}
        for side in SIDES[pair % len(SIDES) :] + SIDES[: pair % len(SIDES)]:
            if side == "bare":
                with unwatched(engine._llm):
                    sides["bare"] = await bare(
                        engine._llm, prompts, in_flight=cell.load.k, max_tokens=max_tokens
                    )
            elif side == "no gauges":
                with unwatched(engine._llm):
                    sides["no gauges"], _ = await looped(checked, engine, grader)
            else:
                sides["arrivals"], sides["whole run"] = await looped(checked, engine, grader)
        assert sides["bare"].num_tokens == sides["arrivals"].num_tokens, (
            "the two sides generated different tokens"
        )
        if pair > 0:
            for name, result in sides.items():
                seconds[name].append(result.wall_s)
    return seconds


def report(heading: str, seconds: dict[str, list[float]]) -> bool:
    """Print medians and ratios; return whether the bar is met."""
    print(f"{heading}, {len(seconds['bare'])} pairs")
    met = True
    for name, series in seconds.items():
        ratio = median(one / other for one, other in zip(series, seconds["bare"], strict=True))
        met = met and ratio <= BARS.get(name, ratio)
        spread = f"{min(series):.3f}..{max(series):.3f}"
        print(f"  {name:<10} median {median(series):.3f} s ({spread}), {ratio:.3f}x the bare engine")
    return met


async def main(arguments: Sequence[str]) -> int:
    """Measure both loads; 0 if both meet the bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--model", default="pocket/reasoner", help="a folder with a checkpoint")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--max-tokens", type=int, default=128)
    options = parser.parse_args(arguments)
    model = pocket(options.model)
    loads = {"64 concurrent": (64, 512), "one at a time": (1, 16)}
    met = []
    async with VllmEngine().start(model) as engine, Grader(GradingPool()) as grader:
        for heading, (in_flight, num_problems) in loads.items():
            checked = cell_of(
                model, in_flight=in_flight, num_problems=num_problems, max_tokens=options.max_tokens
            )
            seconds = await compare(checked, engine, grader, num_pairs=options.pairs)
            met.append(report(f"{heading}: {num_problems} problems", seconds))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
