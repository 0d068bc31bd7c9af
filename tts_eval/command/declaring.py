"""The cells that a command line asks for, as composed now or as they were when a run began."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

import tts_eval.command.listing  # noqa: F401  (registers the resolver that conf/config.yaml uses)
from tts_eval.command.aside import is_local, meant
from tts_eval.command.folders import folder_name, with_digest
from tts_eval.options import CONF
from tts_eval.rundir.directory import RunDirectory

OmegaConf.register_new_resolver("folder_name", folder_name, replace=True)


@dataclass(frozen=True)
class Declared:
    """A cell's configuration, Hydra's own node, and the folder of its run.

    `root` is the folder of the whole sweep, or `folder` itself; `is_new` says that nobody may have it yet.
    """

    config: DictConfig
    node: DictConfig
    folder: Path
    root: Path
    is_new: bool = False

    @property
    def overrides(self) -> str:
        """What distinguishes the cell from its sisters in a sweep."""
        return str(self.node.job.override_dirname)

    def keep(self, folder: Path) -> None:
        """Write the composed configuration to `folder`/.hydra, where Hydra would have."""
        documents = {
            "config": self.config,
            "hydra": OmegaConf.create({"hydra": self.node}),
            "overrides": self.node.overrides.task,
        }
        (folder / ".hydra").mkdir(exist_ok=True)
        for name, document in documents.items():
            OmegaConf.save(document, folder / ".hydra" / f"{name}.yaml", resolve=True)


def composed(run_elsewhere: Callable[[Declared], object]) -> list[Declared]:
    """Let Hydra compose every cell of the command line.

    A launcher that is not the local one calls `run_elsewhere` with each cell, in a process of its own.
    """
    found: list[Declared] = []

    def declare(config: DictConfig) -> None:
        # Resolved now: `${now:...}` in it would give another folder when it is read later.
        node: Any = OmegaConf.create(OmegaConf.to_container(HydraConfig.get(), resolve=True))
        folder, is_new = meant(node.runtime.output_dir)
        root = meant(node.sweep.dir)[0] if node.mode == RunMode.MULTIRUN else folder
        node.runtime.output_dir, node.sweep.dir = str(folder), str(root)
        cell = Declared(config, node, folder, root, is_new)
        if is_local(node):
            found.append(cell)
        else:
            run_elsewhere(cell)

    hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(declare)()
    if any(cell.config.fleet != found[0].config.fleet for cell in found):
        raise ValueError("fleet is where all cells of a sweep run: give one fleet, not an axis of several")
    return in_own_folders(found)


def in_own_folders(cells: Sequence[Declared]) -> list[Declared]:
    """Return each cell once; those whose names come to the same folder are distinguished by a digest."""
    distinct = {(cell.folder, cell.overrides): cell for cell in cells}
    for (_, overrides), number in Counter((cell.folder, cell.overrides) for cell in cells).items():
        if number > 1:
            print(f"{overrides} is asked for {number} times and run once", file=sys.stderr)
    num_in = Counter(folder for folder, _ in distinct)
    return [
        cell
        if num_in[folder] == 1
        else replace(cell, folder=folder.with_name(with_digest(folder.name, overrides)))
        for (folder, overrides), cell in distinct.items()
    ]


def resumed(arguments: Sequence[str]) -> list[Declared]:
    """Read back the configuration of each run in the folder that `resume=` names.

    Where they run may be said again, by `fleet=...`: it is no part of what they are.

    Raises:
        ValueError: There is none, or something else was asked for besides.
    """
    fleet = [argument for argument in arguments if re.match(r"(fleet[.=]|dry_run=)", argument)]
    if len(arguments) - len(fleet) > 1:
        raise ValueError(
            "resume=DIR continues a run as it was configured; it takes no other argument, but for fleet=..."
        )
    named = next(each for each in arguments if each.startswith("resume=")).removeprefix("resume=")
    if not named.strip():
        raise ValueError("resume= names no folder: give that of a run or of a sweep")
    root = Path(named).absolute()
    folders = {file.parent for file in root.rglob("manifest.json")}
    folders |= {file.parents[1] for file in root.rglob(".hydra/config.yaml")}
    if not folders:
        raise ValueError(f"resume={named}: no run is there (a run has manifest.json)")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        chosen = compose("config", overrides=fleet)
    apart = {name: chosen[name] for name in ("fleet", "dry_run")}
    cells = [read_back(folder, root) for folder in sorted(folders)]
    for cell in cells:
        cell.config.update(apart)
    return cells


def read_back(folder: Path, root: Path | None = None) -> Declared:
    """Return the cell whose run is in `folder`, below that of the sweep, `root`."""
    is_begun = (folder / "manifest.json").is_file()
    return (_begun if is_begun else _prepared)(folder, root or folder)


def _begun(folder: Path, root: Path) -> Declared:
    """Return the cell of a run that has a manifest, which holds all of its configuration."""
    manifest = RunDirectory(folder).manifest()
    node: dict[str, object] = {
        "overrides": {"task": []},  # they were checked when the run began
        "runtime": {"choices": manifest.labels, "output_dir": str(folder)},
        "job": {"override_dirname": manifest.name},
        "mode": RunMode.MULTIRUN if manifest.group else RunMode.RUN,
        "sweep": {"dir": manifest.group},
    }
    return Declared(OmegaConf.create(dict(manifest.config)), OmegaConf.create(node), folder, root)


def _prepared(folder: Path, root: Path) -> Declared:
    """Return the cell of a run whose engine never started: only its composed configuration is there."""
    config, hydra_file = (OmegaConf.load(folder / ".hydra" / f"{name}.yaml") for name in ("config", "hydra"))
    assert isinstance(config, DictConfig)
    return Declared(config, hydra_file.hydra, folder, root)
