"""What a run was, as manifest.json has it: one record for the run and one for each of its starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tts_eval.engines.protocol import RecordedDrafting
from tts_eval.engines.scheduling import Scheduling
from tts_eval.hardware import ApiPrice, Hardware
from tts_eval.measuring.budget import Budget
from tts_eval.requests import REPLAYED, EngineFacts
from tts_eval.rundir.schema import SCHEMA_VERSION
from tts_eval.spend import MaxSpend

Config = Mapping[str, Any]  # a configuration as composed by Hydra, or a model's as published


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """The machine of a start."""

    platform: str
    processor: str
    num_cores: int
    memory_gib: float


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Roles whose engines hold `num_gpus` GPUs together."""

    roles: list[str]
    num_gpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFacts(EngineFacts):
    """The engine of a role beside the policy, and the model that it serves."""

    model: str


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One start of a run: with what, on which machine, at which prices.

    `engine` is the policy's, `idle_power_w` what the GPUs took before the first arrival. `engine_roles` lists
    the roles that share each engine, the policy's first; `startup_s` counts a shared engine once.
    """

    started_at: str
    versions: Mapping[str, str]
    python: str
    git_commit: str | None
    machine: Host
    idle_power_w: float | None
    engine: EngineFacts
    roles: Mapping[str, RoleFacts]
    num_gpus: int
    holdings: list[Holding]
    hardware: Hardware
    api_prices: Mapping[str, ApiPrice | None]
    engine_roles: list[list[str]]
    startup_s: float


class LoadFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How problems arrived: `in_flight` is the number that a closed loop keeps going, None in an open one."""

    is_open: bool
    is_steady: bool
    in_flight: int | None


class FoundMarkers(msgspec.Struct, frozen=True, kw_only=True):
    """The markers of a thinking part, as its chat template shows them where the model's file is silent."""

    thinking_start: str | None
    thinking_end: str | None
    starts_thinking: bool | None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A run: its configuration, what was asked of which models, and its starts.

    `labels` names the chosen option of each group, `problems` and `weights` are fingerprints (None for
    weights in no local folder), `architecture` and `role_architectures` the models' configurations where
    FLOPs can be counted from them. `hardware` is that of the last start.
    """

    schema_version: int = SCHEMA_VERSION
    model: str
    task: str
    labels: Mapping[str, str]
    name: str
    group: str
    seed: int
    load: LoadFacts
    objectives: Mapping[str, float | None]
    budget: Budget
    scheduling: Scheduling
    max_spend: MaxSpend | None
    config: Config
    markers: FoundMarkers
    problems: str
    weights: Mapping[str, str | None]
    architecture: Config | None
    drafting: RecordedDrafting | None
    role_architectures: Mapping[str, Config | None]
    role_drafting: Mapping[str, RecordedDrafting | None]
    hardware: Hardware
    provenance: str
    sessions: list[Start]

    @property
    def is_replay(self) -> bool:
        """Whether its samples had been drawn before: then no time means anything."""
        return self.provenance == REPLAYED

    @property
    def unknown_tokens(self) -> frozenset[str]:
        """The kinds of tokens that the recording of a replay does not have."""
        return frozenset(self.sessions[-1].engine.settings["unknown_tokens"] if self.is_replay else ())
