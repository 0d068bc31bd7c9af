"""`python -m tts_eval.plan`: the ranked plans of a node, modelled, before it is rented.

Hydra composes `conf/plan.yaml`. Knows no formula: these are in `tts_eval.planning`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from tts_eval.command.complaint import complaint
from tts_eval.command.compose import part_of
from tts_eval.command.launch import discard
from tts_eval.planning.program import run_plan

CONF = Path(__file__).resolve().parents[1] / "conf"


def main() -> int:
    """Plan what the command line asks for; 0 if it could be, 1 with one line of why otherwise."""
    try:
        for config, folder, sweep_folder in _declared():
            try:
                run_plan(*(part_of(config, name) for name in ("plan", "model", "hardware")), folder=folder)
            except BaseException:
                discard(folder, sweep_folder)
                raise
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        print(f"tts_eval.plan: {complaint(error)}", file=sys.stderr)
        return 1
    return 0


def _declared() -> list[tuple[DictConfig, Path, Path]]:
    """Let Hydra compose what the command line asks for; each with its folder and its sweep's."""
    declared = []

    def declare(config: DictConfig) -> None:
        node = HydraConfig.get()
        declared.append((config, Path(node.runtime.output_dir), Path(node.sweep.dir)))

    hydra.main(version_base="1.3", config_path=str(CONF), config_name="plan")(declare)()
    return declared


if __name__ == "__main__":
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra's exceptions through, to be told in one line
    sys.exit(main())
