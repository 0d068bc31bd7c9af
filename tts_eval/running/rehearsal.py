"""Whether a strategy can be replayed at all: it solves one recorded problem before anything is written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tts_eval.engines.protocol import Engine
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.metered_verifier import metered_verifier
from tts_eval.measuring.meter import Meter
from tts_eval.protocols import Task, Verifier
from tts_eval.records import Problem, Trace
from tts_eval.requests import NotServed

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


class _Neutral(Verifier):
    """Scores every trace alike: a verifier's own model is not what is rehearsed."""

    async def score(self, problem: Problem, traces: Sequence[Trace]) -> list[Sequence[float]]:
        return [[0.5] for _ in traces]


def rehearse_text(checked: CheckedCell, engine: Engine) -> None:
    """Raise ValueError, in one line, where the strategy asks for what `engine` cannot give.

    Whatever else comes of canned answers counts for nothing: they are not those of a model.
    """
    cell, problem = checked.cell, checked.problems[0]
    served = Served(cell.model, checked.codec, engine)
    roles = dict.fromkeys(("policy", *cell.roles), served)
    meter = Meter(problem.id, lambda: 0.0, arrived_s=0.0)
    llm = MeteredModel(roles, meter, _ByText(cell.task), run_seed=cell.seed)
    verifier = None if cell.verifier is None else _Neutral()
    try:
        asyncio.run(cell.strategy.solve(problem, llm, verifier))
    except Exception as failure:
        refused = _first_not_served(failure)
        if refused is not None:
            name = cell.labels["strategy"]
            raise ValueError(f"strategy {name} does not run on this server: {refused}") from None


def _first_not_served(failure: BaseException) -> BaseException | None:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure if isinstance(failure, NotServed) else None


async def _solve_the_first(checked: CheckedCell) -> None:
    cell, problem = checked.cell, checked.problems[0]
    async with cell.engine.start(cell.model) as engine:
        served = Served(cell.model, checked.codec, engine)
        meter = Meter(problem.id, lambda: 0.0, arrived_s=0.0)
        llm = MeteredModel({"policy": served}, meter, _ByText(cell.task), run_seed=cell.seed)
        async with metered_verifier(cell.verifier, llm) as verifier:
            await cell.strategy.solve(problem, llm, verifier)
