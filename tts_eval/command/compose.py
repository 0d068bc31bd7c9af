"""From a composed Hydra configuration to a cell."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from tts_eval import checks
from tts_eval.engines.protocol import EngineSettings, Replays
from tts_eval.protocols import Strategy, Task, Verifier
from tts_eval.running.cell import Cell
from tts_eval.running.deployment import Role

RECORDED = ("model", "task", "verifier")
ROLE_SETTINGS = ("model", "engine", "shares_gpus")
APART = ("fleet", "dry_run")  # where the cells run is no part of what they are
SECTIONS = ("budget", "grading", "objectives", "scheduling")  # no groups: they have no options
BASES = {"strategy": Strategy, "verifier": Verifier, "task": Task}
GROUPS = ("model", "task", "verifier", "engine", "speculation", "strategy", "load", "hardware", "tracking")


def cell_of(config: DictConfig, hydra: DictConfig) -> Cell:
    """Build the cell that `config` describes; `hydra` is Hydra's own node (choices, job, output folder).

    Raises ValueError with a part's own words where its settings are wrong.
    """
    plain: Any = OmegaConf.to_container(config, resolve=True)
    plain = {name: value for name, value in plain.items() if name not in APART}
    allowed = (*GROUPS, *SECTIONS, "roles", "seed")
    for name in plain:
        checks.one_of("a setting at the top", name, allowed)
    _check_numbers(plain)
    checks.whole_number("seed", config.seed, minimum=0)
    names = [name for name in map(str, config) if name not in ("seed", "roles", *APART)]
    parts: dict[str, Any] = {name: part_of(config, name) for name in names}
    for name, base in BASES.items():
        if parts[name] is not None and not isinstance(parts[name], base):
            given = f"{type(parts[name]).__module__}.{type(parts[name]).__name__}"
            raise ValueError(f"{name}: {given} must extend tts_eval.protocols.{base.__name__}")
    speculation = parts.pop("speculation")
    plain_engine = parts["engine"]
    if speculation:
        parts["engine"] = parts["engine"].with_speculation(speculation)
    recorded: Mapping[str, Any] = {}
    if isinstance(parts["engine"], Replays):
        _leave_to_the_recording(hydra.overrides.task)
        recorded = parts["engine"].parts()
    roles = {str(name): _role(config.roles, str(name), parts, plain_engine) for name in config.roles}
    if parts["scheduling"].priority:
        parts["engine"] = parts["engine"].with_priority()
    groups = [name for name in (*parts, "speculation") if name not in SECTIONS]
    labels = {name: _label(config, hydra, name) for name in groups}
    for name, part in recorded.items():
        labels[name] = "none" if part is None else getattr(part, "name", "recorded")
        plain[name] = asdict(part) if name == "model" else {"recorded": labels[name]}
    return Cell(
        **{**parts, **recorded},
        roles=roles,
        seed=config.seed,
        labels=labels,
        name=hydra.job.override_dirname.lstrip("+") or labels["strategy"],
        group=Path(hydra.sweep.dir).name if hydra.mode == RunMode.MULTIRUN else "",
        directory=Path(hydra.runtime.output_dir),
        config=plain,
    )


def _check_numbers(value: Any, name: str = "") -> None:
    """Reject numbers that no file of a run can hold: nan, inf, and whole ones of more than 63 bits."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            _check_numbers(inner, f"{name}.{key}".lstrip("."))
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value}")
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError(f"{name} must be a whole number below 2^63, not {value}")


def _leave_to_the_recording(overrides: Sequence[str]) -> None:
    """Reject overrides of what a replay takes from its recording."""
    for override in overrides:
        group = re.split(r"[.=@]", override.lstrip("+~"))[0]
        if group in RECORDED:
            raise ValueError(
                f"{override}: a replay takes {', '.join(RECORDED)} from its recording; leave it out"
            )


def _role(config: DictConfig, name: str, parts: Mapping[str, Any], plain_engine: EngineSettings) -> Role:
    """Build the role `name`; what it leaves out is the policy's, and a draft of tokens only for its model.

    Where `shares_gpus` is left open, a role has GPUs of its own if there are any.
    """
    if name == "policy":
        raise ValueError("roles.policy is the model itself: give model=... and engine=...")
    settings: Any = config[name] or {}
    unknown = [key for key in map(str, settings) if key not in ROLE_SETTINGS]
    if unknown:
        raise ValueError(f"roles.{name} has no setting {unknown[0]!r}; allowed: {', '.join(ROLE_SETTINGS)}")
    model = part_of(settings, "model") if settings.get("model") else parts["model"]
    inherited = parts["engine"] if model == parts["model"] else plain_engine
    engine = part_of(settings, "engine") if settings.get("engine") else inherited
    shares_gpus = settings.get("shares_gpus")
    return Role(model, engine, not parts["hardware"].is_gpu if shares_gpus is None else shares_gpus)


def part_of(config: DictConfig, name: str) -> Any:
    """Instantiate one group; an empty group (verifier=none) is None."""
    if not config[name]:
        return None
    try:
        return instantiate(config[name], _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, ValueError):
            raise ValueError(str(cause)) from None
        allowed = ""
        if isinstance(cause, TypeError):
            allowed = f"; allowed: {', '.join(signature(get_object(config[name]._target_)).parameters)}"
        raise ValueError(
            f"{name}: {str(error).splitlines()[-1] if cause is None else cause}{allowed}"
        ) from error


def _label(config: DictConfig, hydra: DictConfig, name: str) -> str:
    """Return the option chosen for a group, or the class of one that was given without a file."""
    choice = hydra.runtime.choices.get(name)
    return str(choice or config[name].get("_target_", "none")).rpartition(".")[2]
