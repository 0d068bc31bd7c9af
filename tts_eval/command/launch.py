"""From arguments to an exit code: declare the cells, check them all, run them, show the table.

Knows no strategy, task or model by name.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tts_eval.command.checkout import check_shelves
from tts_eval.command.complaint import complaint
from tts_eval.schema import read_document

CONF = Path(__file__).resolve().parents[2] / "conf"
Declared = tuple[DictConfig, DictConfig]  # a cell's configuration, and Hydra's own
MAX_FOLDER_NAME = 150


def _folder_name(overrides: str) -> str:
    """Return the overrides of a cell as the name of one folder, no other cell's even where it is cut."""
    name = overrides.replace("/", "_").lstrip("+.")
    if len(name) <= MAX_FOLDER_NAME:
        return name
    digest = hashlib.sha256(overrides.encode()).hexdigest()[:8]
    return f"{name[: MAX_FOLDER_NAME - len(digest) - 1]}-{digest}"


OmegaConf.register_new_resolver("folder_name", _folder_name, replace=True)


def launch(arguments: Sequence[str]) -> int:
    """Run what `arguments` ask for; 0 if every cell has its summary, 1 otherwise, 130 if interrupted."""
    try:
        check_shelves()
        resumed = [argument for argument in arguments if argument.startswith("resume=")]
        declared = _resumed(arguments) if resumed else _composed()
        return _run(declared, keep_refused=bool(resumed)) if declared else 0
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        print(f"tts_eval: {complaint(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tts_eval: interrupted; what is finished is kept: resume=DIR goes on with it", file=sys.stderr)
        return 130


def _composed() -> list[Declared]:
    """Let Hydra compose every cell that the command line asks for."""
    declared: list[Declared] = []

    def declare(config: DictConfig) -> None:
        # Resolved now: `${now:...}` in it would give another folder when it is read later.
        node: Any = OmegaConf.create(OmegaConf.to_container(HydraConfig.get(), resolve=True))
        declared.append((config, node))
        if not node.launcher._target_.endswith("BasicLauncher"):  # elsewhere: this cell is all there is there
            _run([declared.pop()], keep_refused=False)

    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(declare)()
    except Exception as error:
        _discard_uncomposed(error)
        raise
    return declared


def _resumed(arguments: Sequence[str]) -> list[Declared]:
    """Read back the configuration of each run in the folder that `resume=` names."""
    if len(arguments) > 1:
        raise ValueError("resume=DIR goes on with a run as it was configured; it takes no other argument")
    folder = Path(arguments[0].removeprefix("resume="))
    files = sorted(folder.rglob(".hydra/config.yaml"))
    if not files:
        raise ValueError(f"resume={folder}: no run is there (a run has .hydra/config.yaml)")
    declared = []
    for file in files:
        config, node = _load(file), _load(file.with_name("hydra.yaml")).hydra
        node.runtime.output_dir = str(file.parents[1])
        if (manifest := file.parents[1] / "manifest.json").is_file():
            read_document(manifest)  # which refuses a run of another schema before anything is loaded
        declared.append((config, node))
    return declared


def _load(file: Path) -> DictConfig:
    config = OmegaConf.load(file)
    assert isinstance(config, DictConfig)
    return config


def _run(declared: Sequence[Declared], *, keep_refused: bool) -> int:
    """Check all cells, then run them."""
    from tts_eval.command.compose import cell_of

    try:
        cells = [cell_of(config, node) for config, node in declared]  # a typo in the last one is told first
        checked = [cell.check() for cell in cells]
    except BaseException:
        if not keep_refused:
            for _, node in declared:
                discard(Path(node.runtime.output_dir), Path(node.sweep.dir))
        raise
    from tts_eval.command.table import print_table
    from tts_eval.running.sweep import run_sweep

    sweep = asyncio.run(run_sweep(checked, say=lambda line: print(line, file=sys.stderr, flush=True)))
    print_table(sweep)
    for cell, reason in sweep.failures:
        print(f"tts_eval: {cell.cell.name} has no summary: {reason}", file=sys.stderr)
    return 1 if sweep.failures else 0


def _discard_uncomposed(error: Exception) -> None:
    """Remove the folder of a sweep with a cell that cannot be composed: Hydra makes it before it looks."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        sweeper = frame.f_locals.get("self")
        if isinstance(sweeper, Sweeper) and sweeper.config is not None:
            folder = Path(sweeper.config.hydra.sweep.dir)
            discard(folder, folder)
            break


def discard(output_dir: Path, sweep_dir: Path) -> None:
    """Remove what Hydra wrote for a run that was refused, and nothing else."""
    for file in (output_dir / ".hydra").glob("*.yaml"):
        file.unlink()
    (sweep_dir / "multirun.yaml").unlink(missing_ok=True)
    for folder in (output_dir / ".hydra", output_dir, *output_dir.parents):
        if folder.absolute() == Path.cwd():
            break
        try:
            folder.rmdir()  # only an empty one goes
        except FileNotFoundError:
            continue
        except OSError:
            break
