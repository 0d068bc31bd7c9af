"""A script that tracks a small run as the run loop does; its arguments: mode, directory."""

from __future__ import annotations

import sys
from pathlib import Path

from tts_eval.tracking.progress import Progress
from tts_eval.tracking.wandb import WandbTracking

mode, directory = sys.argv[1:]
tracking = WandbTracking(mode=mode, tags=["test"])
tracking.check()
with tracking.start(
    name="cell", group="sweep", job_type="cot", config={"strategy": {"n": 4}}, directory=Path(directory)
) as tracker:
    for done in range(1, 101):
        tracker.update(Progress(100, done, done // 2, 0, 10 * done, elapsed_s=0.5 * done, usd=None))
    tracker.finish(
        {"accuracy": 0.5, "tta_s": {"p50": 1.5, "p99": None}},
        [{"id": "a", "answer": "2", "votes": [2, 1]}, {"id": "b", "answer": None, "tta_s": 1}],
    )
