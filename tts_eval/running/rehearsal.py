"""Whether a strategy can be replayed at all: it solves one recorded problem before anything is written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.metered_verifier import metered_verifier
from tts_eval.measuring.meter import Meter
from tts_eval.protocols import Task

if TYPE_CHECKING:
    from tts_eval.running.cell import CheckedCell


@dataclass(frozen=True)
class _ByText(Task):
    """Takes answers of `task` for the same where their text is: enough to see what is requested."""

    task: Task

    def extract(self, text: str) -> str | None:
        return self.task.extract(text)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        groups: dict[str, list[int]] = {}
        for index, answer in enumerate(answers):
            if answer is not None:
                groups.setdefault(answer, []).append(index)
        return sorted(groups.values(), key=lambda group: (-len(group), group[0]))


def rehearse(checked: CheckedCell, *, num_samples: int) -> None:
    """Raise ValueError, in one line, where the strategy asks for what the recording does not hold.

    `num_samples` is how many samples every problem has.
    """
    cell = checked.cell
    name = cell.labels["strategy"]
    if cell.budget.is_limited:
        raise ValueError("a replay has no times and cuts nothing off: leave budget.* out")
    if cell.roles:
        raise ValueError(f"a replay has no other models: leave roles.{next(iter(cell.roles))} out")
    spend = cell.strategy.max_spend(1)
    if spend is not None and spend.num_samples > num_samples:
        raise ValueError(
            f"strategy {name} may ask for {spend.num_samples} samples a problem; {num_samples} were recorded"
        )
    try:
        asyncio.run(_solve_the_first(checked))
    except Exception as error:
        raise ValueError(f"strategy {name} cannot be replayed: {error}") from error


async def _solve_the_first(checked: CheckedCell) -> None:
    cell, problem = checked.cell, checked.problems[0]
    async with cell.engine.start(cell.model) as engine:
        served = Served(cell.model, checked.codec, engine)
        meter = Meter(problem.id, lambda: 0.0, arrived_s=0.0)
        llm = MeteredModel({"policy": served}, meter, _ByText(cell.task), run_seed=cell.seed)
        async with metered_verifier(cell.verifier, llm) as verifier:
            await cell.strategy.solve(problem, llm, verifier)
