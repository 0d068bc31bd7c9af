"""What a run runs on: speeds for the planner, a price with its source for the costs.

Prices are inputs, never constants: `conf/hardware/` states them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from omegaconf import DictConfig, OmegaConf

from tts_eval import checks
from tts_eval.devices.driver import visible_gpus
from tts_eval.options import option, option_names, options

NOT_NUMBERS = {"name", "price_source", "price_as_of", "device_names", "timings"}


@dataclass(frozen=True, slots=True)
class Hardware:
    """One GPU (or one machine without any), as its data sheet has it; None is unknown.

    Speeds are dense ones, without sparsity; `interconnect_gb_per_s` is to the node's other GPUs, one way.
    `usd_per_gpu_hour` None stands for the list price, which `price_source` stated on `price_as_of`; any other
    price is the user's own. `device_names` are what the driver calls this GPU. `timings` are constants of its
    kernels and links, for the planner (`tts_eval.planning.timings`).
    """

    name: str
    memory_gb: float | None = None
    bandwidth_gb_per_s: float | None = None
    bf16_tflops: float | None = None
    fp8_tflops: float | None = None
    interconnect_gb_per_s: float | None = None
    tdp_w: float | None = None
    list_usd_per_gpu_hour: float | None = None
    usd_per_gpu_hour: float | None = None
    usd_per_gpu_hour_low: float | None = None
    usd_per_gpu_hour_high: float | None = None
    price_source: str | None = None
    price_as_of: str | None = None
    device_names: Sequence[str] = ()
    timings: Mapping[str, Any] | None = None

    @property
    def is_gpu(self) -> bool:
        """Whether this is a GPU, and not a machine without one."""
        return self.name != "CPU"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in NOT_NUMBERS and value is not None:
                checks.number(f"hardware.{field.name}", value, minimum=0)
        object.__setattr__(self, "device_names", tuple(self.device_names))
        if self.usd_per_gpu_hour is None:
            object.__setattr__(self, "usd_per_gpu_hour", self.list_usd_per_gpu_hour)
        elif self.usd_per_gpu_hour != self.list_usd_per_gpu_hour:
            object.__setattr__(self, "price_source", "given by the user")
            object.__setattr__(self, "price_as_of", None)
            object.__setattr__(self, "usd_per_gpu_hour_low", self.usd_per_gpu_hour)
            object.__setattr__(self, "usd_per_gpu_hour_high", self.usd_per_gpu_hour)


@cache
def recognised(*, usd_per_gpu_hour: float | None = None) -> Hardware:
    """Return this machine's hardware: the file in `conf/hardware/` with its GPU's name, or the CPU's.

    A GPU that no file names has neither speeds nor, unless `usd_per_gpu_hour` is given, a price; nor has one
    instance of a split GPU. Where GPUs differ the first one counts.
    """
    gpus = visible_gpus()
    if not gpus:
        return Hardware(**_settings(option("hardware", "cpu")) | {"usd_per_gpu_hour": usd_per_gpu_hour})
    first, names = gpus[0], list(dict.fromkeys(gpu.name for gpu in gpus))
    if len(names) > 1:
        print(f"GPUs differ ({', '.join(names)}): price and speeds are those of the first", file=sys.stderr)
    for known in options("hardware", option_names("hardware")).values():
        settings = _settings(known)
        if first.name in settings.get("device_names", ()):
            return _priced(Hardware(**settings | {"usd_per_gpu_hour": usd_per_gpu_hour}))
    memory_gb = None if first.memory_bytes is None else first.memory_bytes / 1e9
    return _priced(Hardware(first.name, memory_gb=memory_gb, usd_per_gpu_hour=usd_per_gpu_hour))


def _priced(hardware: Hardware) -> Hardware:
    """Say where no price is known."""
    if hardware.usd_per_gpu_hour is None:
        print(
            f"no price known for {hardware.name}: costs are null without hardware.usd_per_gpu_hour",
            file=sys.stderr,
        )
    return hardware


def _settings(known: DictConfig) -> dict[str, Any]:
    settings: Any = OmegaConf.to_container(known)
    return {key: value for key, value in settings.items() if key != "_target_"}


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """What a provider asks for; a prompt token found in its cache costs `usd_per_million_cached_tokens`."""

    usd_per_million_prompt_tokens: float
    usd_per_million_cached_tokens: float
    usd_per_million_generated_tokens: float
    source: str
    as_of: str

    def __post_init__(self) -> None:
        for kind in ("prompt", "cached", "generated"):
            name = f"usd_per_million_{kind}_tokens"
            checks.number(f"model.api_price.{name}", getattr(self, name), minimum=0)

    def usd(self, *, num_prompt_tokens: int, num_cached_tokens: int, num_generated_tokens: int) -> float:
        """Return the dollars of one call; the cached tokens are among those of the prompt."""
        micro_usd = (
            (num_prompt_tokens - num_cached_tokens) * self.usd_per_million_prompt_tokens
            + num_cached_tokens * self.usd_per_million_cached_tokens
            + num_generated_tokens * self.usd_per_million_generated_tokens
        )
        return micro_usd / 1e6
