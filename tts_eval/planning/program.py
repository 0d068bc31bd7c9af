"""What `python -m tts_eval.plan` does: calibrate if asked, rank the plans, print and keep them.

Knows no Hydra.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from tts_eval.hardware import Hardware
from tts_eval.model import Model
from tts_eval.planning.files import write_ranking
from tts_eval.planning.ranking import rank
from tts_eval.planning.settings import PlanSettings, config_of
from tts_eval.planning.table import print_ranking


def run_plan(settings: PlanSettings, model: Model, hardware: Hardware, *, folder: Path) -> None:
    """Plan, print, and leave the files in `folder`."""
    config = config_of(model)
    node = settings.node(config, hardware, dtype=model.dtype, timings=None)
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
        "settings": asdict(settings),
    }
    write_ranking(folder, ranking, facts)
    print(f"results: {folder}", file=sys.stderr)
