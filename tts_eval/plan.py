"""`python -m tts_eval.plan`: the ranked plans of a node, modelled, before it is rented.

Hydra composes `conf/plan.yaml`.
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

import tts_eval.command.listing  # noqa: F401  (registers the resolver that conf/plan.yaml uses)
from tts_eval.command.aside import meant
from tts_eval.command.complaint import complaint
from tts_eval.command.compose import part_of
from tts_eval.command.folders import claim
from tts_eval.options import CONF
from tts_eval.planning.program import run_plan


def main() -> int:
    """Plan what the command line asks for; 0 if it could be, 1 with one line of why otherwise."""
    try:
        for config, folder, is_new in _declared():
            parts = [part_of(config, name) for name in ("plan", "model", "hardware")]
            own = claim(folder) if is_new else folder
            try:
                run_plan(*parts, folder=own)
            finally:
                if is_new and not any(own.iterdir()):  # rejected
                    own.rmdir()
    except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
        print(f"tts_eval.plan: {complaint(error)}", file=sys.stderr)
        return 1
    return 0


def _declared() -> list[tuple[DictConfig, Path, bool]]:
    """Let Hydra compose what the command line asks for; each with its folder, and whether it must be new."""
    declared = []

    def declare(config: DictConfig) -> None:
        declared.append((config, *meant(HydraConfig.get().runtime.output_dir)))

    hydra.main(version_base="1.3", config_path=str(CONF), config_name="plan")(declare)()
    return declared


if __name__ == "__main__":
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra's exceptions through, to be printed in one line
    sys.exit(main())
