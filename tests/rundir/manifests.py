"""A manifest with all that is required, for tests that look at a part of it."""

from __future__ import annotations

from typing import Any

from tts_eval.engines.scheduling import Scheduling
from tts_eval.hardware import Hardware
from tts_eval.measuring.budget import Budget
from tts_eval.requests import EngineFacts
from tts_eval.rundir.manifest import FoundMarkers, Holding, Host, LoadFacts, Manifest, Start

CPU = Hardware("CPU")


def start(**changed: Any) -> Start:
    """Return a start on one CPU."""
    given: dict[str, Any] = {
        "started_at": "2026-01-01T00:00:00+00:00",
        "versions": {},
        "python": "3.12",
        "git_commit": None,
        "machine": Host(platform="paper", processor="pencil", num_cores=1, memory_gib=1.0),
        "idle_power_w": None,
        "engine": EngineFacts("scripted", "1", "cpu", num_gpus=1, max_model_len=64, startup_s=0.0),
        "roles": {},
        "num_gpus": 1,
        "holdings": [Holding(roles=["policy"], num_gpus=1)],
        "hardware": CPU,
        "api_prices": {"policy": None},
        "engine_roles": [["policy"]],
        "startup_s": 0.0,
    }
    return Start(**given | changed)


def manifest(**changed: Any) -> Manifest:
    """Return the manifest of a run that was started once."""
    given: dict[str, Any] = {
        "model": "pocket",
        "task": "pocket",
        "labels": {},
        "name": "paper",
        "group": "",
        "seed": 0,
        "load": LoadFacts(is_open=False, is_steady=True, in_flight=1),
        "objectives": {},
        "budget": Budget(),
        "scheduling": Scheduling(),
        "max_spend": None,
        "config": {},
        "markers": FoundMarkers(thinking_start=None, thinking_end=None, starts_thinking=None),
        "problems": "sha256:0",
        "weights": {},
        "architecture": None,
        "drafting": None,
        "role_architectures": {},
        "role_drafting": {},
        "hardware": CPU,
        "provenance": "measured",
        "sessions": [start()],
    }
    return Manifest(**given | changed)
