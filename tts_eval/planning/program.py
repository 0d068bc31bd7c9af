"""What `python -m tts_eval.plan` does: calibrate if asked, rank the plans, print and keep all of it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from tts_eval.hardware import Hardware
from tts_eval.model import Model
from tts_eval.planning.calibration import ASSUMED, START, Calibration, calibrate
from tts_eval.planning.calibration_table import calibration_rows, print_calibration
from tts_eval.planning.files import write_csv, write_ranking
from tts_eval.planning.model import Node
from tts_eval.planning.plan_settings import PlanSettings, config_of
from tts_eval.planning.planned_frontier import prospect_rows, prospects
from tts_eval.planning.ranking import rank
from tts_eval.planning.recorded import RecordedRun, read_runs
from tts_eval.planning.sweeps import over_degrees, over_lengths, over_models
from tts_eval.planning.table import print_prospects, print_ranking
from tts_eval.planning.timings import Timings


def run_plan(settings: PlanSettings, model: Model, hardware: Hardware, *, folder: Path) -> None:
    """Plan, print, and leave the files in `folder`."""
    config = config_of(model)
    measured = _cells_of(model.name, settings.accuracy_from) if settings.accuracy_from else []
    calibration = _calibration(settings.calibrate, hardware) if settings.calibrate else None
    timings = calibration.timings if calibration else None
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
    where = f"{settings.num_gpus} x {hardware.name}"
    print_ranking(
        ranking,
        title=f"{model.name} on {where}; {workload.num_problems} problems x {workload.samples} samples, "
        f"{workload.load}; by {settings.rank_by}",
    )
    facts = {
        "model": model.name,
        "hardware": asdict(hardware),
        "timings": asdict(node.timings),
        "is_calibrated": calibration is not None,
        "settings": asdict(settings),
    }
    write_ranking(folder, ranking, facts)
    if calibration:
        write_csv(folder / "calibration.csv", calibration_rows(calibration))
    if settings.figures:
        _draw(settings, node, hardware, calibration, folder, name=model.name)
    if measured:
        found = prospects(measured, node, hardware, num_gpus=settings.num_gpus, rank_by=settings.rank_by)
        print_prospects(found, title=where)
        write_csv(folder / "planned_frontier.csv", prospect_rows(found))
    print(f"results: {folder}", file=sys.stderr)


def _draw(
    settings: PlanSettings,
    node: Node,
    hardware: Hardware,
    calibration: Calibration | None,
    folder: Path,
    *,
    name: str,
) -> None:
    """Draw the sweeps and the calibration, each beside its rows."""
    from tts_eval.planning import figures  # matplotlib takes a second to import

    where = f"{settings.num_gpus} x {hardware.name}"
    lengths = over_lengths(settings, node, hardware)
    figures.draw_lengths(folder, lengths, title=f"modelled: {name} on {where}")
    degrees = over_degrees(node, context=settings.workload.reasoning_tokens / 2)
    figures.draw_degrees(folder, degrees, title=f"modelled: {name} on {hardware.name}")
    models = over_models(settings, hardware, node.timings)
    figures.draw_crossover(folder, models, num_gpus=settings.num_gpus, title=f"modelled: {where}")
    figures.draw_capacity(folder, models, title=f"modelled: {hardware.name}")
    if calibration:
        figures.draw_calibration(folder, calibration_rows(calibration))


def _cells_of(model: str, folder: str) -> list[RecordedRun]:
    """Read the measured cells of `model`; ValueError where one is of another."""
    runs = read_runs(Path(folder))
    for run in runs:
        other = run.summary.about.model
        if other != model:
            raise ValueError(f"plan.accuracy_from: {run.name} is a run of {other}, not of {model}")
    return runs


def _calibration(folder: str, hardware: Hardware) -> Calibration:
    """Fit constants to measured runs and show what they are worth.

    Raises:
        ValueError: One was measured on other hardware, or with drafts, whose cost is not fitted.
    """
    runs = read_runs(Path(folder))
    for run in runs:
        other = run.hardware_name
        if other != hardware.name:
            raise ValueError(f"plan.calibrate: {run.name} was measured on {other}, not on {hardware.name}")
        if run.has_drafts:
            raise ValueError(f"plan.calibrate: {run.name} drafts tokens; give runs with speculation=none")
    calibration = calibrate(runs, Timings.of(hardware, assumed=START | ASSUMED))
    print_calibration(calibration)
    return calibration
