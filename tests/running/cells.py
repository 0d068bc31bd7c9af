"""Cells on a scripted engine: the real run loop, directory and summary, with outcomes worked out by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strategies.cot import Cot
from tts_eval.engines.protocol import EngineSettings
from tts_eval.hardware import Hardware
from tts_eval.llm.scripted import MODEL, ScriptedEngine, WordCodec
from tts_eval.measuring.budget import Budget
from tts_eval.model import Model
from tts_eval.protocols import Load, Strategy, Task
from tts_eval.records import Problem
from tts_eval.requests import Completion, EngineDied, Request
from tts_eval.running.cell import Cell, CheckedCell
from tts_eval.running.loads import Sequential
from tts_eval.tracking.none import NoTracking

HARDWARE = Hardware(
    name="paper",
    memory_gb=None,
    bandwidth_gb_per_s=None,
    bf16_tflops=None,
    fp8_tflops=None,
    interconnect_gb_per_s=None,
    tdp_w=None,
    usd_per_gpu_hour=3.6,
    usd_per_gpu_hour_low=None,
    usd_per_gpu_hour_high=None,
    price_source="a round number",
    price_as_of="2026-01-01",
)


@dataclass(frozen=True)
class Sums(Task):
    """Additions: the scripted model answers "a + b" with the right sum unless b is 13."""

    num_problems: int = 3
    name: str = "sums"

    def problems(self) -> Sequence[Problem]:
        return [
            Problem(f"sum-{i}", f"{i} + {i}", str(2 * i), level=1 + i % 2) for i in range(self.num_problems)
        ]


@dataclass
class Calculator(ScriptedEngine):
    """Answers a sum with five tokens; wrong for every third problem."""

    replies: dict[str, Sequence[str]] = field(default_factory=dict)
    dies_after: int | None = None

    async def generate(self, request: Request) -> Completion:
        if self.dies_after is not None and len(self.requests) >= self.dies_after:
            raise EngineDied("the scripted engine died")
        number = int(self.codec.decode(request.prompt_ids).split()[0])
        answer = 2 * number + (number % 3 == 2)
        self.replies = {"": [f" let me see </think> \\boxed{{{answer}}}"]}
        return await super().generate(request)


@dataclass(frozen=True)
class CalculatorSettings(EngineSettings):
    """Starts calculators, and remembers how often."""

    engine: Calculator
    num_gpus: int = 1
    starts: list[str] = field(default_factory=list, compare=False)

    def check(self, model: Model) -> None:
        pass

    def model_len(self, model: Model) -> int:
        return self.engine.max_model_len

    @asynccontextmanager
    async def start(self, model: Model) -> AsyncIterator[Any]:
        self.starts.append("started")
        yield self.engine
        self.starts.append("stopped")


def sums_cell(
    directory: Path,
    *,
    engine: Calculator | None = None,
    strategy: Strategy | None = None,
    load: Load | None = None,
    num_problems: int = 3,
    budget: Budget | None = None,
    settings: Callable[[Calculator], Any] = CalculatorSettings,
) -> tuple[CheckedCell, Calculator]:
    """Return a checked cell of `num_problems` sums, and the engine that will answer them."""
    engine = engine or Calculator({}, codec=WordCodec())
    task = Sums(num_problems)
    cell = Cell(
        name=directory.name,
        group="",
        labels={"strategy": "cot", "load": "concurrent", "engine": "scripted"},
        model=MODEL,
        engine=settings(engine),
        task=task,
        strategy=strategy or Cot(),
        verifier=None,
        load=load or Sequential(),
        hardware=HARDWARE,
        tracking=NoTracking(),
        seed=0,
        directory=directory,
        config={},
        budget=budget or Budget(),
    )
    codec: Any = engine.codec
    return CheckedCell(cell, tuple(task.problems()), codec), engine
