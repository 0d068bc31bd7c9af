"""A file of tests starts with what it needs: one of plain arithmetic imports no framework."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

HEAVY = {"anyio", "hydra", "hypothesis", "matplotlib", "openai", "pandas", "torch", "transformers", "vllm"}


def test_a_file_of_arithmetic_imports_no_framework() -> None:
    collect = "-X importtime -m pytest --capture=no --collect-only tests/statistics/test_intervals.py"
    done = subprocess.run(
        [sys.executable, *collect.split()], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}

    assert imported >= {"numpy", "pytest", "tts_eval"}
    assert imported & HEAVY == set()
