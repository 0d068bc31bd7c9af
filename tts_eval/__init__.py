"""Which way of spending test-time compute buys the most correct answers per second, dollar and joule."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tts_eval.analysis.frames import Frames


def load(*directories: str | Path) -> Frames:
    """Return pandas frames of every finished run in `directories`: see `tts_eval.analysis.frames`."""
    from tts_eval.analysis import frames

    return frames.load(*directories)
