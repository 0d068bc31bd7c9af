"""What the installation says of a machine for the CUDA build before it fetches anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("driver", "compiler", "says"),
    [
        ("575.57.08", "gcc", "the GPU's driver is 575.57.08 and CUDA 13 needs 580 or later; ACCELERATOR=cpu"),
        ("580.65.06", "no-such-cc", "no no-such-cc: Triton compiles with it at run time"),
        ("", "no-such-cc", "no no-such-cc"),
    ],
    ids=["an old driver", "no compiler", "an image is made where there is no driver"],
)
def test_a_machine_that_cannot_run_cuda_is_told_at_once(
    driver: str, compiler: str, says: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    smi = tools / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\necho {driver}\n", encoding="utf-8")
    smi.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "ACCELERATOR": "cuda",
        "CC": compiler,
    }

    done = subprocess.run(
        ["bash", "requirements/install.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert f"install: error: {says}" in done.stderr
    assert not (tmp_path / ".venv").exists()
