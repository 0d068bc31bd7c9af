"""Nodes as `conf/` describes them, for the tests of the planner."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from hydra.utils import instantiate

from tts_eval.hardware import Hardware
from tts_eval.measuring.architecture import Architecture
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.model import Model
from tts_eval.options import option
from tts_eval.planning.capacity import Memory
from tts_eval.planning.model import Node, PlannedModel
from tts_eval.planning.parallelism import Plan
from tts_eval.planning.plan_settings import PlanSettings, config_of

# As in the reference calculations that the figures in these tests come from: 90% of the memory less 3.5 GB.
SETTINGS = PlanSettings(gpu_memory_utilization=0.9, overhead_gb=3.5, collectives_gb=0.0)


@cache
def configured(group: str, name: str) -> Any:
    return instantiate(option(group, name), _convert_="all")


def model_named(name: str) -> Model:
    model = configured("model", name)
    assert isinstance(model, Model)
    return model


def hardware_named(name: str) -> Hardware:
    hardware = configured("hardware", name)
    assert isinstance(hardware, Hardware)
    return hardware


def architecture_of(name: str) -> Architecture:
    return read_architecture(config_of(model_named(name)))


def node_of(model: str, hardware: str = "h200", **settings: Any) -> Node:
    """Return the node with the settings of the reference calculations, and `settings` in their place."""
    chosen = replace(SETTINGS, **settings)
    return chosen.node(config_of(model_named(model)), hardware_named(hardware), timings=None)


def planned(node: Node, *, dp: int = 1, tp: int = 1, pp: int = 1, ep: int = 1) -> PlannedModel:
    return PlannedModel.on(node, Plan(dp, tp, pp, ep))


def with_cache(node: Node, num_tokens: int) -> Node:
    """Return `node` with room for `num_tokens` tokens of KV cache on one GPU."""
    token_bytes = node.architecture.kv_bytes_per_token(int(node.kv_bytes))
    memory = Memory(None, 1.0, 0.0, 0.0, node.memory.block_size, kv_cache_bytes=num_tokens * token_bytes)
    return replace(node, memory=memory)
