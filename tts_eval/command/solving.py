"""One strategy on some questions from Python: composed, checked and run as from the command line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, overload

from hydra import compose, initialize_config_dir
from hydra.types import RunMode
from omegaconf import OmegaConf

from tts_eval.command.checkout import check_shelves
from tts_eval.command.compose import cell_of
from tts_eval.model import Model
from tts_eval.options import CONF
from tts_eval.protocols import Strategy, Task, Verifier
from tts_eval.records import Attempt, Problem
from tts_eval.rundir.directory import RunDirectory
from tts_eval.running.cell import Cell
from tts_eval.running.sweep import run_sweep

Question = str | Problem
QUIETLY = {"tracking": "none", "load": "all_at_once"}  # nothing is measured here, so nothing is filled up

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked(Task):
    """The problems that were given, graded as mathematics where they have gold answers."""

    given: tuple[Problem, ...]

    def problems(self) -> Sequence[Problem]:
        """Return them."""
        return self.given


@overload
async def asolve(
    question: Question,
    *,
    model: str | Model | None = None,
    strategy: str | Strategy | None = None,
    verifier: str | Verifier | None = None,
    **overrides: Any,
) -> Attempt: ...


@overload
async def asolve(
    question: Sequence[Question],
    *,
    model: str | Model | None = None,
    strategy: str | Strategy | None = None,
    verifier: str | Verifier | None = None,
    **overrides: Any,
) -> list[Attempt]: ...


async def asolve(
    question: Question | Sequence[Question],
    *,
    model: str | Model | None = None,
    strategy: str | Strategy | None = None,
    verifier: str | Verifier | None = None,
    **overrides: Any,
) -> Attempt | list[Attempt]:
    """Return what a strategy makes of one question, or of each of several.

    Each part is an option of its group in conf/ or an object. `overrides` are those of the command line:
    `seed=1`, `load="sequential"`, `**{"strategy.n": 8}`. One engine serves all questions, and is stopped.

    Raises:
        ValueError: Something is set wrong; nothing was started.
        RuntimeError: The engine did not start, or a strategy raised, with its words.
    """
    is_one = isinstance(question, str | Problem)
    asked: Sequence[Question] = [question] if isinstance(question, str | Problem) else question
    problems = tuple(
        each if isinstance(each, Problem) else Problem(f"question-{number}", each, None)
        for number, each in enumerate(asked)
    )
    parts = {"model": model, "strategy": strategy, "verifier": verifier}
    with TemporaryDirectory(prefix="tts_eval-") as folder:
        cell = _cell(Path(folder), problems, parts, overrides)
        checked = await asyncio.to_thread(cell.check)
        sweep = await run_sweep([checked], say=_log.info)
        if sweep.failures:
            raise RuntimeError(sweep.failures[0][1])
        outcomes = {outcome.problem_id: outcome for outcome in RunDirectory(Path(folder)).outcomes()}
    attempts = list[Attempt]()
    for problem in problems:
        outcome = outcomes[problem.id]
        if outcome.attempt is None:
            raise RuntimeError(f"{problem.id} failed: {outcome.error}")
        attempts.append(outcome.attempt)
    return attempts[0] if is_one else attempts


@overload
def solve(
    question: Question,
    *,
    model: str | Model | None = None,
    strategy: str | Strategy | None = None,
    verifier: str | Verifier | None = None,
    **overrides: Any,
) -> Attempt: ...


@overload
def solve(
    question: Sequence[Question],
    *,
    model: str | Model | None = None,
    strategy: str | Strategy | None = None,
    verifier: str | Verifier | None = None,
    **overrides: Any,
) -> list[Attempt]: ...


def solve(question: Any, **settings: Any) -> Any:
    """Do as `asolve`, and wait for it; in a notebook, too, whose own event loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(asolve(question, **settings))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asolve(question, **settings)).result()


def _cell(
    folder: Path, problems: tuple[Problem, ...], parts: dict[str, Any], overrides: dict[str, Any]
) -> Cell:
    """Return the cell that the command line would compose, with the objects that were given."""
    check_shelves()
    named = {name: part for name, part in parts.items() if isinstance(part, str)}
    given = {name: part for name, part in parts.items() if part is not None and name not in named}
    texts = [f"{name}={_written(value)}" for name, value in (QUIETLY | named | overrides).items()]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        whole = compose("config", texts, return_hydra_config=True)
    config = OmegaConf.masked_copy(whole, [str(name) for name in whole if name != "hydra"])
    node: dict[str, object] = {
        "overrides": {"task": texts},
        "runtime": {"choices": whole.hydra.runtime.choices, "output_dir": str(folder)},
        "job": {"override_dirname": ""},
        "mode": RunMode.RUN,
        "sweep": {"dir": ""},
    }
    cell = cell_of(config, OmegaConf.create(node))
    given["task"] = Asked(problems)
    kinds = {name: type(part).__name__.lower() for name, part in given.items()}
    settings = {name: _settings(part) for name, part in given.items() if name != "task"}
    return replace(
        cell,
        **given,
        labels={**cell.labels, **kinds},
        config={**cell.config, **settings, "task": {"_target_": f"{__name__}.Asked"}},
    )


def _written(value: Any) -> str:
    """Return `value` as Hydra's grammar reads it: None is null, a list is in brackets."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _settings(part: Any) -> dict[str, object]:
    """Return what the YAML of `part` would be."""
    target: dict[str, object] = {"_target_": f"{type(part).__module__}.{type(part).__qualname__}"}
    if not is_dataclass(part):
        return target
    values = {each.name: getattr(part, each.name) for each in fields(part) if each.init}
    return target | {
        name: _settings(value) if is_dataclass(value) else value for name, value in values.items()
    }
