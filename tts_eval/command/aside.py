"""Where Hydra writes while it composes: a folder that is thrown away, so that no run's folder is touched.

Hydra makes the output folder and fills it before anybody can refuse the cell. Here it gets one below a
temporary folder instead; its path there says where the run itself shall go.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from tts_eval.command.folders import claim

NEW, GIVEN = "new", "given"  # named by the time, and so for one start alone; or named by the user


class Aside(Callback):
    """Hydra's callback that sends it aside; other launchers than the local one need their folders shared."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Send a single run aside."""
        self._send_aside(config, config.hydra.run)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Send a sweep aside, and each of its jobs, which are composed again from the overrides."""
        with read_write(config.hydra), open_dict(config.hydra):
            overrides = config.hydra.overrides.hydra
            overrides.append("hydra.output_subdir=null")
            if is_local(config.hydra):
                self._send_aside(config, config.hydra.sweep)
            elif _is_new(config.hydra.sweep):
                config.hydra.sweep.dir = str(claim(Path(config.hydra.sweep.dir)))
            folder = QuotedString(str(config.hydra.sweep.dir), Quote.single)
            overrides.append(f"hydra.sweep.dir={folder.with_quotes()}")

    def _send_aside(self, config: DictConfig, place: DictConfig) -> None:
        kind, folder = NEW if _is_new(place) else GIVEN, Path(place.dir).absolute()
        with read_write(config.hydra), open_dict(config.hydra):
            config.hydra.output_subdir = None
            place.dir = str(_scratch() / kind / folder.relative_to(folder.anchor))


def is_local(hydra: DictConfig) -> bool:
    """Whether the cells of a sweep are run here, by this program, and not by one of Hydra's launchers."""
    return str(hydra.launcher._target_).endswith("BasicLauncher")


def meant(folder: str | Path) -> tuple[Path, bool]:
    """Return the folder that `folder` stands for, and whether it must be one that nobody has yet."""
    path = Path(folder)
    if not path.is_relative_to(_scratch()):
        return path, False
    kind, *parts = path.relative_to(_scratch()).parts
    return Path(path.anchor, *parts), kind == NEW


def _is_new(place: DictConfig) -> bool:
    raw: Any = OmegaConf.to_container(place, resolve=False)
    return "${now:" in raw["dir"]


def _scratch() -> Path:
    return Path(_temporary_folder().name)


@cache
def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Return the one of this process; it is removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="tts_eval-")
