"""`python -m tts_eval.report DIR...`: report.html, frontier.csv, figures and a table over finished runs.

Knows no figure: what there is to say of runs is in `tts_eval.reporting`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from tts_eval.command.complaint import complaint
from tts_eval.command.compose import part_of
from tts_eval.command.launch import CONF
from tts_eval.reporting.program import write_report
from tts_eval.tracking.protocol import Tracking


def main(arguments: Sequence[str]) -> int:
    """Write the report; 1 with one line of why where it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tts_eval.report", description=__doc__)
    parser.add_argument("directories", nargs="+", metavar="DIR", help="runs, sweeps, or folders of these")
    parser.add_argument("--out", type=Path, help="the report's folder (outputs/reports/DATE/TIME)")
    parser.epilog = "tracking=wandb, tracking.project=NAME, ... log the report as a run of its own"
    options = parser.parse_args(arguments)
    overrides = [given for given in options.directories if _is_override(given)]
    directories = [Path(given) for given in options.directories if not _is_override(given)]
    folder = options.out or Path("outputs/reports") / datetime.now().strftime("%Y-%m-%d/%H-%M-%S")
    try:
        if not directories:
            raise ValueError("give the folders of the runs: python -m tts_eval.report DIR...")
        tracking = _tracking(overrides)
        tracking.check()
        write_report(directories, folder=folder, tracking=tracking)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        print(f"tts_eval.report: {complaint(error)}", file=sys.stderr)
        return 1
    return 0


def _is_override(given: str) -> bool:
    return given.startswith(("tracking=", "tracking."))


def _tracking(overrides: Sequence[str]) -> Tracking:
    """Return what `overrides` configure, by default no tracking."""
    is_chosen = any(given.startswith("tracking=") for given in overrides)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", [*([] if is_chosen else ["tracking=none"]), *overrides])
        tracking: Tracking = part_of(config, "tracking")
    return tracking


if __name__ == "__main__":
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra's exceptions through, to be told in one line
    sys.exit(main(sys.argv[1:]))
