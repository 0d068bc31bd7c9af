"""NVML as it answered on machines with GPUs, played back: nothing of ours is replaced, only the driver.

The shapes of the answers and the errors are those of nvidia-ml-py on a node of H100s, on an A100 split into
instances (MIG), and on a GPU without an energy counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

GIB = 1 << 30
H100 = "NVIDIA H100 80GB HBM3"


@dataclass
class Card:
    """One GPU, or one instance of a split one: an instance has no power, energy or utilisation of its own."""

    uuid: str
    name: str = H100
    total: int | None = 80 * GIB
    used: int = GIB
    busy_percent: int | None = 0
    milliwatts: int | None = 100_000
    millijoules: int | None = 5000
    instances: list[Card] = field(default_factory=list)


def instance(uuid: str) -> Card:
    return Card(
        uuid,
        "NVIDIA A100-SXM4-80GB MIG 3g.40gb",
        40 * GIB,
        busy_percent=None,
        milliwatts=None,
        millijoules=None,
    )


class RecordedNvml(ModuleType):
    """The functions of pynvml that we call, on `cards`."""

    class NVMLError(Exception):
        pass

    def __init__(self, cards: Sequence[Card], *, driver: str | bytes = "580.65.06") -> None:
        super().__init__("pynvml")
        self.cards, self.driver, self.num_open = list(cards), driver, 0

    def nvmlInit(self) -> None:
        self.num_open += 1

    def nvmlShutdown(self) -> None:
        self.num_open -= 1

    def nvmlSystemGetDriverVersion(self) -> str | bytes:
        return self.driver

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:
        return self.cards[index]

    def nvmlDeviceGetUUID(self, card: Card) -> str:
        return card.uuid

    def nvmlDeviceGetName(self, card: Card) -> str:
        return card.name

    def nvmlDeviceGetMigMode(self, card: Card) -> list[int]:
        if "H100" not in card.name and "A100" not in card.name:
            raise self.NVMLError("Not Supported")
        return [int(bool(card.instances))] * 2

    def nvmlDeviceGetMaxMigDeviceCount(self, card: Card) -> int:
        return 7 if card.instances else 0

    def nvmlDeviceGetMigDeviceHandleByIndex(self, card: Card, index: int) -> Card:
        found: Card = self._known(card.instances[index] if index < len(card.instances) else None)
        return found

    def nvmlDeviceGetMemoryInfo(self, card: Card) -> SimpleNamespace:
        return SimpleNamespace(total=self._known(card.total), used=card.used)

    def nvmlDeviceGetUtilizationRates(self, card: Card) -> SimpleNamespace:
        return SimpleNamespace(gpu=self._known(card.busy_percent))

    def nvmlDeviceGetPowerUsage(self, card: Card) -> int:
        return int(self._known(card.milliwatts))

    def nvmlDeviceGetEnforcedPowerLimit(self, card: Card) -> int:
        self._known(card.milliwatts)
        return 700_000

    def nvmlDeviceGetTotalEnergyConsumption(self, card: Card) -> int:
        return int(self._known(card.millijoules))

    def _known(self, value: Any) -> Any:
        if value is None:
            raise self.NVMLError("Not Supported")
        return value
