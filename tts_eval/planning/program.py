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
from tts_eval.planning.model import Node
from tts_eval.planning.planned_frontier import prospect_rows, prospects
from tts_eval.planning.ranking import rank
from tts_eval.planning.recorded import read_runs
from tts_eval.planning.settings import PlanSettings, config_of
from tts_eval.planning.sweeps import over_degrees, over_lengths, over_models
from tts_eval.planning.table import print_prospects, print_ranking
from tts_eval.planning.timings import Timings


def run_plan(settings: PlanSettings, model: Model, hardware: Hardware, *, folder: Path) -> None:
    """Plan, print, and leave the files in `folder`."""
    config = config_of(model)
    timings = None
    if settings.calibrate:
        timings = _calibrated(settings.calibrate, hardware, folder, has_figures=settings.figures)
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
    if settings.figures:
        _draw(settings, node, hardware, folder, name=model.name)
    if settings.accuracy_from:
        _plan_frontier(settings, node, hardware, folder, model=model.name)
    print(f"results: {folder}", file=sys.stderr)


def _draw(settings: PlanSettings, node: Node, hardware: Hardware, folder: Path, *, name: str) -> None:
    """Draw the sweeps, each beside its rows."""
    from tts_eval.planning import figures  # matplotlib takes a second to import

    where = f"{settings.num_gpus} x {hardware.name}"
    lengths = over_lengths(settings, node, hardware)
    figures.draw_lengths(folder, lengths, title=f"modelled: {name} on {where}")
    degrees = over_degrees(node, context=settings.workload.reasoning_tokens / 2)
    figures.draw_degrees(folder, degrees, title=f"modelled: {name} on {hardware.name}")
    models = over_models(settings, hardware)
    figures.draw_crossover(folder, models, num_gpus=settings.num_gpus, title=f"modelled: {where}")
    figures.draw_capacity(folder, models, title=f"modelled: {hardware.name}")


def _plan_frontier(
    settings: PlanSettings, node: Node, hardware: Hardware, folder: Path, *, model: str
) -> None:
    """Show where the measured cells in `settings.accuracy_from` would lie on this node.

    Raises:
        ValueError: They were measured with another model.
    """
    assert settings.accuracy_from is not None
    runs = read_runs(Path(settings.accuracy_from))
    for run in runs:
        if run.summary["model"] != model:
            raise ValueError(
                f"plan.accuracy_from: {run.name} is a run of {run.summary['model']}, not of {model}"
            )
    found = prospects(runs, node, hardware, num_gpus=settings.num_gpus, rank_by=settings.rank_by)
    print_prospects(found, title=f"{settings.num_gpus} x {hardware.name}")
    write_csv(folder / "planned_frontier.csv", prospect_rows(found))


def _calibrated(runs_folder: str, hardware: Hardware, folder: Path, *, has_figures: bool) -> Timings:
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
    rows = calibration_rows(calibration)
    write_csv(folder / "calibration.csv", rows)
    if has_figures:
        from tts_eval.planning import figures

        figures.draw_calibration(folder, rows)
    return calibration.timings
