"""What `python -m tts_eval.plan` does: calibrate if asked, rank the plans, print and keep all of it.

Knows no Hydra.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from tts_eval.hardware import Hardware
from tts_eval.model import Model
from tts_eval.planning.calibration import ASSUMED, START, calibrate
from tts_eval.planning.calibration_table import calibration_rows, print_calibration
from tts_eval.planning.files import write_csv, write_ranking
from tts_eval.planning.ranking import rank
from tts_eval.planning.recorded import read_runs
from tts_eval.planning.settings import PlanSettings, config_of
from tts_eval.planning.table import print_ranking
from tts_eval.planning.timings import Timings


def run_plan(settings: PlanSettings, model: Model, hardware: Hardware, *, folder: Path) -> None:
    """Plan, print, and leave the files in `folder`."""
    config = config_of(model)
    timings = _calibrated(settings.calibrate, hardware, folder) if settings.calibrate else None
    node = settings.node(config, hardware, dtype=model.dtype, timings=timings)
    workload = settings.workload
    ranking = rank(
        node,
        hardware,
        workload.jobs(),
        num_gpus=settings.num_gpus,
        in_flight=workload.in_flight,
        rank_by=settings.rank_by,
        simulate=settings.simulate,
    )
    title = (
        f"{model.name} on {settings.num_gpus} x {hardware.name}; {workload.num_problems} problems x "
        f"{workload.samples} samples, {workload.load}; by {settings.rank_by}"
    )
    print_ranking(ranking, title=title)
    facts = {
        "model": model.name,
        "hardware": asdict(hardware),
        "timings": asdict(node.timings),
        "is_calibrated": timings is not None,
        "settings": asdict(settings),
    }
    write_ranking(folder, ranking, facts)
    print(f"results: {folder}", file=sys.stderr)


def _calibrated(runs_folder: str, hardware: Hardware, folder: Path) -> Timings:
    """Fit the constants to measured runs, show what they are worth, and return them.

    Raises:
        ValueError: The runs were measured on other hardware.
    """
    runs = read_runs(Path(runs_folder))
    for run in runs:
        if run.hardware_name != hardware.name:
            raise ValueError(
                f"plan.calibrate: {run.name} was measured on {run.hardware_name}, not on {hardware.name}"
            )
    calibration = calibrate(runs, Timings.of(hardware, assumed=START | ASSUMED))
    print_calibration(calibration)
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "calibration.csv", calibration_rows(calibration))
    return calibration.timings
