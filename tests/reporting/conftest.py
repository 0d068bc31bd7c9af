"""One small sweep and its report, for all tests that read them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.reporting.runs import sweep
from tts_eval.reporting.program import write_report
from tts_eval.tracking.none import NoTracking


@pytest.fixture(scope="package")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(sweep(tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="package")
def report(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report([runs], folder=folder, tracking=NoTracking())
    return folder
