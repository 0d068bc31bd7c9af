"""`python -m tts_eval.report DIR...`: report.html, frontier.csv, figures and a table over finished runs."""

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
from tts_eval.options import CONF
from tts_eval.reporting.decisions import Rates
from tts_eval.reporting.program import write_report
from tts_eval.tracking.protocol import Tracking


def main(arguments: Sequence[str]) -> int:
    """Write the report; 1 with one line of why where it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tts_eval.report", description=__doc__)
    parser.add_argument(
        "directories",
        nargs="+",
        metavar="DIR",
        help="runs, sweeps, or folders of these; or a setting: tracking=wandb, tracking.project=NAME, "
        "tracking.mode=offline log the report as a run of its own",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the report's folder, by default outputs/reports/DATE/TIME"
    )
    parser.add_argument(
        "--value-per-correct-usd", type=float, metavar="USD", help="what a right answer is worth"
    )
    parser.add_argument(
        "--usd-per-wait-s", type=float, metavar="USD", help="what a second of waiting costs, by default 0"
    )
    parser.add_argument(
        "--run-noise",
        type=float,
        metavar="SD",
        help="standard deviation of the logarithm of times and dollars from run to run, where no cell has "
        "repeats (seed=0,1,2): 0.14 is a seventh",
    )
    parser.epilog = (
        "FOLDER then holds report.html, frontier.csv, regret.csv and figures/ (PNG, PDF); levels.csv where "
        "problems have levels, equivalents.csv where there are several models, decisions.csv where a right "
        "answer has a value. How to read it: docs/report.md."
    )
    options = parser.parse_args(arguments)
    overrides = [given for given in options.directories if _is_override(given)]
    directories = [Path(given) for given in options.directories if not _is_override(given)]
    folder = options.out or Path("outputs/reports") / datetime.now().strftime("%Y-%m-%d/%H-%M-%S")
    try:
        if not directories:
            raise ValueError("give the folders of the runs: python -m tts_eval.report DIR...")
        tracking = _tracking(overrides)
        tracking.check()
        rates = _rates(options.value_per_correct_usd, options.usd_per_wait_s)
        write_report(directories, folder=folder, tracking=tracking, rates=rates, run_noise=options.run_noise)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        print(f"tts_eval.report: {complaint(error)}", file=sys.stderr)
        return 1
    return 0


def _rates(value_per_correct_usd: float | None, usd_per_wait_s: float | None) -> Rates | None:
    if value_per_correct_usd is not None:
        return Rates(value_per_correct_usd, usd_per_wait_s or 0.0)
    if usd_per_wait_s is not None:
        raise ValueError("--usd-per-wait-s needs --value-per-correct-usd: what a right answer is worth")
    return None


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
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra's exceptions through, to be printed in one line
    sys.exit(main(sys.argv[1:]))
