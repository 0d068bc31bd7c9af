"""Without tracking a run leaves nothing but its own directory."""

from __future__ import annotations

from pathlib import Path

from tts_eval.tracking.none import NoTracking
from tts_eval.tracking.progress import Progress


def test_nothing_is_written(tmp_path: Path) -> None:
    tracking = NoTracking()
    tracking.check()

    with tracking.start(name="n", group="g", job_type="j", config={}, directory=tmp_path) as tracker:
        tracker.update(Progress(1, 1, 1, 0, 1, 1.0, None))
        tracker.finish({"accuracy": 1.0}, [{"id": "1"}])

    assert not list(tmp_path.iterdir())
