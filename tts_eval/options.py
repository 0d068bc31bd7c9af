"""The options of `conf/`, composed by Hydra: an option may build on another, as a model on its family."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

CONF = Path(__file__).resolve().parents[1] / "conf"


def option_names(group: str) -> list[str]:
    """Return what `group`=... can be, sorted."""
    return sorted(file.stem for file in (CONF / group).glob("*.yaml"))


def option(group: str, name: str) -> DictConfig:
    """Return the settings of one option."""
    return options(group, [name])[name]


def options(group: str, names: Iterable[str]) -> dict[str, DictConfig]:
    """Return the settings of the named options of `group`, composed in one go."""
    # Imported late: `hardware` imports this module, and only a machine that is to be recognised needs Hydra.
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().hydra = None  # Hydra allows one at a time
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            composed = compose(overrides=[f"+{group}@{name}={name}" for name in names])
    finally:
        GlobalHydra.instance().hydra = outer  # leaving the context put another instance in place
    OmegaConf.set_struct(composed, False)  # settings may be merged into an option
    return {str(name): composed[name] for name in composed}
