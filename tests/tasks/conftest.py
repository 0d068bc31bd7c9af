"""Where the public benchmark files lie, for the tests that want them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Return the folder with copies of public benchmarks beside this checkout; skip where there is none."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("TTS_EVAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no public benchmark files here (TTS_EVAL_DATA names their folder)")
    return folder
