"""What measuring costs: the same greedy requests bare, metered, and through the run loop, on one engine.

The sides take turns, each from an empty prefix cache; one round of each goes unmeasured. `bare` is vLLM
without anything of ours; `metered` adds what measures: the handle, a meter a problem, the times of tokens,
the gauges. `arrivals` is the run loop from its first arrival to its last answer, grading in processes of
its own included, `whole run` also its manifest, summary and files. CPU seconds of all processes stand
beside the wall's: a busy machine disturbs them less. Run it as `python -m benchmarks.overhead`.
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

import psutil

from strategies.cot import Cot
from tasks.pocket import PocketTask
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.hardware import Hardware
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.measuring.meter import Meter
from tts_eval.model import Model
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.schema import plain
from tts_eval.running.cell import Cell, CheckedCell
from tts_eval.running.loads import Concurrent
from tts_eval.running.loop import GAUGE_INTERVAL_S, run_cell
from tts_eval.tracking.none import NoTracking

BARS = {"metered": 1.02, "arrivals": 1.05, "whole run": 1.05}  # at most so many times the bare wall time
SIDES = ("bare", "metered", "looped")


@dataclass(frozen=True)
class Round:
    """One measurement: seconds of the wall and of all processes, and how many tokens each problem got."""

    wall_s: float
    cpu_s: float
    num_tokens: dict[str, int]


def cpu_s() -> float:
    """Return the CPU seconds of this process and all it has started."""
    own = psutil.Process()
    return sum(sum(each.cpu_times()[:2]) for each in (own, *own.children(recursive=True)))


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
    """Return a checked greedy cell; its directory is set again for each round."""
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

    began_s, before_s = time.monotonic(), cpu_s()
    await asyncio.gather(*(user() for _ in range(in_flight)))
    return Round(time.monotonic() - began_s, cpu_s() - before_s, num_tokens)


async def metered(checked: CheckedCell, engine: Any, grader: Grader, *, in_flight: int) -> Round:
    """Draw the same samples through the metered handle, the gauges read as often as a run reads them."""
    await engine.forget()
    served = Served(checked.cell.model, checked.codec, engine)
    num_tokens: dict[str, int] = {}
    waiting = iter(checked.problems)

    async def user() -> None:
        for problem in waiting:
            meter = Meter(problem.id, time.monotonic)
            task = checked.cell.task.with_grader(grader)
            llm = MeteredModel({"policy": served}, meter, task, run_seed=0)
            await checked.cell.strategy.solve(problem, llm, None)
            num_tokens[problem.id] = meter.spend().num_generated_tokens

    async def read_gauges() -> None:
        while True:
            engine.gauges()
            await asyncio.sleep(GAUGE_INTERVAL_S)

    began_s, before_s = time.monotonic(), cpu_s()
    reading = asyncio.create_task(read_gauges())
    await asyncio.gather(*(user() for _ in range(in_flight)))
    reading.cancel()
    return Round(time.monotonic() - began_s, cpu_s() - before_s, num_tokens)


async def looped(checked: CheckedCell, engine: Any, grader: Grader) -> tuple[Round, Round]:
    """Run the cell in a new folder; return the round from its arrivals to its answers, and all of it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        directory = RunDirectory(Path(folder))
        here = replace(checked, cell=replace(checked.cell, directory=directory.path))
        began_s, before_s = time.monotonic(), cpu_s()
        summary = plain(await run_cell(here, engine, grader))
        wall_s, used_s = time.monotonic() - began_s, cpu_s() - before_s
        num_tokens = {o.problem_id: o.spend.num_generated_tokens for o in directory.outcomes()}
    assert summary["num_failed"] == 0
    return Round(summary["wall_s"], used_s, num_tokens), Round(wall_s, used_s, num_tokens)


async def compare(
    checked: CheckedCell, engine: Any, grader: Grader, *, num_pairs: int
) -> dict[str, list[Round]]:
    """Return the rounds of each side; rejects rounds that did not generate the same."""
    cell = checked.cell
    assert isinstance(cell.load, Concurrent) and isinstance(cell.strategy, Cot)
    max_tokens, in_flight = cell.strategy.max_tokens or 1, cell.load.k
    prompts = {problem.id: checked.codec.prompt(problem.question) for problem in checked.problems}
    rounds: dict[str, list[Round]] = {side: [] for side in ("bare", "metered", "arrivals", "whole run")}
    for number in range(num_pairs + 1):
        sides: dict[str, Round] = {}
        for side in SIDES[number % len(SIDES) :] + SIDES[: number % len(SIDES)]:
            match side:
                case "bare":
                    with unwatched(engine._llm):
                        sides[side] = await bare(
                            engine._llm, prompts, in_flight=in_flight, max_tokens=max_tokens
                        )
                case "metered":
                    sides[side] = await metered(checked, engine, grader, in_flight=in_flight)
                case _:
                    sides["arrivals"], sides["whole run"] = await looped(checked, engine, grader)
        assert all(each.num_tokens == sides["bare"].num_tokens for each in sides.values()), (
            "the sides generated different tokens"
        )
        if number > 0:
            for name, result in sides.items():
                rounds[name].append(result)
    return rounds


def report(heading: str, rounds: dict[str, list[Round]]) -> bool:
    """Print medians and ratios; return whether the bars are met."""
    print(f"{heading}, {len(rounds['bare'])} rounds")
    met = True
    for name, series in rounds.items():
        pairs = list(zip(series, rounds["bare"], strict=True))
        ratio = median(one.wall_s / other.wall_s for one, other in pairs)
        cpu_ratio = median(one.cpu_s / other.cpu_s for one, other in pairs)
        met = met and ratio <= BARS.get(name, ratio)
        walls_s = [each.wall_s for each in series]
        cpu = f"CPU {median(each.cpu_s for each in series):.2f} s, {cpu_ratio:.3f}x"
        print(
            f"  {name:<10} median {median(walls_s):.3f} s ({min(walls_s):.3f}..{max(walls_s):.3f}), "
            f"{ratio:.3f}x the bare engine; {cpu}"
        )
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
            rounds = await compare(checked, engine, grader, num_pairs=options.pairs)
            met.append(report(f"{heading}: {num_problems} problems", rounds))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
