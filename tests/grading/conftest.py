"""What the tests of grading share: one warm grader, and the public data where somebody has them."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool

Rows = Callable[[str], list[dict[str, Any]]]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def warm_pool() -> AsyncIterator[GradingPool]:
    async with GradingPool() as pool:
        yield pool


@pytest.fixture(scope="package")
def grader(warm_pool: GradingPool) -> Grader:
    return Grader(warm_pool)


@pytest.fixture(scope="session")
def rows() -> Rows:
    """Read a JSONL file of the public data, or skip the test where there are none."""
    here = Path(__file__).resolve()
    folders = [parent / "shared" / "data" for parent in here.parents]
    if "TTS_EVAL_DATA" in os.environ:
        folders = [Path(os.environ["TTS_EVAL_DATA"])]

    def read(name: str) -> list[dict[str, Any]]:
        for folder in folders:
            if (folder / name).is_file():
                return [json.loads(line) for line in (folder / name).read_text().splitlines()]
        pytest.skip(f"{name} is not here; set TTS_EVAL_DATA to the folder that has it")

    return read
