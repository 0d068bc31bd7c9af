"""The settings of `python -m tts_eval.plan`: the node, its serving, the workload, and what to do besides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tts_eval import checks
from tts_eval.hardware import Hardware
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.model import Model
from tts_eval.planning.capacity import Memory
from tts_eval.planning.model import Node
from tts_eval.planning.precision import FORMATS, KV_BYTES, format_of
from tts_eval.planning.serving import Serving
from tts_eval.planning.speculation import Speculation
from tts_eval.planning.timings import Timings
from tts_eval.planning.workload import Workload

SIMULATED_RANKS = ("tta_p50_s", "tta_p99_s")
RANKS = ("generated_tokens_per_s", *SIMULATED_RANKS, "usd_per_problem")


@dataclass(frozen=True)
class PlanSettings:
    """What to plan; the fields are those of `plan` in `conf/plan.yaml`."""

    workload: Workload = field(default_factory=Workload)
    speculation: Speculation = field(default_factory=Speculation)
    num_gpus: int = 8
    weights: str | None = None
    kv_cache: str | None = None
    gpu_memory_utilization: float = 0.92
    overhead_gb: float = 3.5
    collectives_gb: float = 0.37
    kv_cache_memory_bytes: int | None = None
    block_size: int = 16
    max_num_seqs: int = 1024
    max_num_batched_tokens: int = 8192
    enable_chunked_prefill: bool = True
    cuda_graphs: bool = True
    simulate: bool = True
    rank_by: str = "generated_tokens_per_s"
    figures: bool = False
    calibrate: str | None = None
    accuracy_from: str | None = None

    def __post_init__(self) -> None:
        checks.whole_number("plan.num_gpus", self.num_gpus, minimum=1)
        checks.whole_number("plan.block_size", self.block_size, minimum=1)
        checks.optional_whole_number("plan.kv_cache_memory_bytes", self.kv_cache_memory_bytes, minimum=1)
        name = "plan.gpu_memory_utilization"
        checks.number(name, self.gpu_memory_utilization, minimum=0.01, maximum=1.0)
        checks.number("plan.overhead_gb", self.overhead_gb, minimum=0)
        checks.number("plan.collectives_gb", self.collectives_gb, minimum=0)
        if self.weights is not None:
            checks.one_of("plan.weights", self.weights, tuple(FORMATS))
        if self.kv_cache is not None:
            checks.one_of("plan.kv_cache", self.kv_cache, tuple(KV_BYTES))
        checks.one_of("plan.rank_by", self.rank_by, RANKS)
        if self.rank_by in SIMULATED_RANKS and not self.simulate:
            raise ValueError(f"plan.rank_by={self.rank_by} needs plan.simulate=true")
        for name in ("calibrate", "accuracy_from"):
            folder = getattr(self, name)
            if folder is not None and not Path(folder).is_dir():
                raise ValueError(f"plan.{name}={folder} is no folder; give one with measured runs")
        _ = self.serving

    @property
    def serving(self) -> Serving:
        """How each replica serves."""
        return Serving(
            max_num_seqs=self.max_num_seqs,
            max_num_batched_tokens=self.max_num_batched_tokens,
            enable_chunked_prefill=self.enable_chunked_prefill,
            speculation=self.speculation,
        )

    def node(
        self, config: Mapping[str, Any], hardware: Hardware, *, dtype: str = "auto", timings: Timings | None
    ) -> Node:
        """Return the node that `config`, a config.json, would be served on.

        `timings` None takes the hardware's. Raises ValueError where the hardware's memory or speeds are not
        known.
        """
        weights = self.weights or format_of(config, dtype)
        kv_cache = self.kv_cache or ("float32" if weights == "float32" else "bf16")
        if hardware.memory_gb is None and self.kv_cache_memory_bytes is None:
            raise ValueError(f"the memory of {hardware.name} is not known: give plan.kv_cache_memory_bytes")
        memory = Memory(
            hardware.memory_gb,
            utilization=self.gpu_memory_utilization,
            overhead_gb=self.overhead_gb,
            collectives_gb=self.collectives_gb,
            block_size=self.block_size,
            kv_cache_bytes=self.kv_cache_memory_bytes,
        )
        return Node(
            architecture=read_architecture(config),
            precision=FORMATS[weights],
            kv_bytes=KV_BYTES[kv_cache],
            memory=memory,
            timings=timings or Timings.of(hardware),
            serving=self.serving,
            has_graphs=self.cuda_graphs,
        )


def config_of(model: Model) -> Mapping[str, Any]:
    """Return the config.json of `model`: from its folder, from `conf/model`, or else from the hub."""
    file = Path(model.location) / "config.json"
    if file.is_file():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    if model.config_json is not None:
        return model.config_json
    return dict(json.loads(model.architecture().get_text_config().to_json_string()))
