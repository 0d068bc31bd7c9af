"""Finished runs for the report, by the real run loop on a scripted engine."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from strategies.cot import Cot
from strategies.majority_vote import MajorityVote
from tests.running.cells import HARDWARE, Calculator, sums_cell
from tts_eval.engines.replay.replay_engine import ReplayRun
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import MODEL, WordCodec
from tts_eval.requests import Completion, Request
from tts_eval.running.cell import Cell, CheckedCell
from tts_eval.running.loads import Sequential
from tts_eval.running.loop import run_cell
from tts_eval.tracking.none import NoTracking

LAYERS = {"small": 2, "big": 4}  # a token of the big one costs about twice as much
PARALLEL = {"pipeline_parallel_size": 1, "data_parallel_size": 1}


@dataclass
class Guesser(Calculator):
    """Is right with a chance of `skill` a sample, and thinks for as long as it likes."""

    skill: float = 0.6

    async def generate(self, request: Request) -> Completion:
        draw = random.Random(f"{request.prompt_ids} {request.seed} {self.skill}")
        number = int(self.codec.decode(request.prompt_ids).split()[0])
        answer = 2 * number + (0 if draw.random() < self.skill else draw.choice([1, 2, 3]))
        thinking = " so" * draw.randint(3, 9)
        self.replies = {"": [f"{thinking} </think> \\boxed{{{answer}}}"]}
        return await super(Calculator, self).generate(request)


async def sums_run(
    folder: Path, *, model: str, n: int, seed: int = 0, num_problems: int = 6, degree: int = 1
) -> Path:
    """Run one cell of sums, greedy for `n` 1 and a vote of `n` above, and return its folder."""
    strategy = "majority_vote" if n > 1 else "cot"
    run = folder / f"model={model},strategy={strategy},strategy.n={n},seed={seed}"
    skill = 0.8 if model == "big" else 0.5
    checked, engine = sums_cell(
        run,
        engine=Guesser({}, codec=WordCodec(), skill=skill),
        strategy=MajorityVote(n=n) if n > 1 else Cot(),
        num_problems=num_problems,
    )
    config: dict[str, Any] = {
        "model": {
            "name": model,
            "path": MODEL.path,
            "thinking_start": MODEL.thinking_start,
            "thinking_end": MODEL.thinking_end,
            "starts_thinking": True,
        },
        "strategy": {"n": n, "temperature": None, "top_p": None, "note": "</script><b>not a tag</b>"},
        "engine": {"tensor_parallel_size": degree, **PARALLEL},
        "load": {"k": 2},
    }
    cell = replace(
        checked.cell,
        seed=seed,
        model=replace(checked.cell.model, name=model),
        labels={**checked.cell.labels, "strategy": strategy},
        config=config,
        tracking=NoTracking(),
    )
    architecture = {
        "model_type": "qwen2",
        "hidden_size": 64,
        "num_hidden_layers": LAYERS[model],
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "intermediate_size": 128,
        "vocab_size": 16,
    }
    checked = replace(checked, cell=cell, architecture=architecture)
    await run_cell(checked, engine, Grader(GradingPool()))
    return run


async def sweep(folder: Path) -> Path:
    """Run two models at three budgets each, and return the sweep's folder."""
    for model, degree in (("small", 1), ("big", 2)):
        for n in (2, 4, 8):
            await sums_run(folder, model=model, n=n, degree=degree)
    return folder


async def replayed_vote(folder: Path, run: Path, *, n: int) -> Path:
    """Score a vote of `n` again on the samples that `run` has recorded, and return its folder."""
    settings = ReplayRun(str(run))
    cell = Cell(
        name=f"strategy.n={n}",
        group="",
        labels={"strategy": "majority_vote", "load": "concurrent", "engine": "replay"},
        engine=settings,
        strategy=MajorityVote(n=n),
        load=Sequential(),
        hardware=HARDWARE,
        tracking=NoTracking(),
        seed=0,
        directory=folder,
        config={"strategy": {"n": n}},
        **settings.parts(),
    )
    codec: Any = settings.codec()
    checked = CheckedCell(cell, tuple(cell.task.problems()), codec, settings.architecture)
    async with settings.start(cell.model) as engine:
        await run_cell(checked, engine, Grader(GradingPool()))
    return folder
