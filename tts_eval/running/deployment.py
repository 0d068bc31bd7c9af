"""The models of a cell and the engines behind them: which roles share one, and the GPUs of each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tts_eval.engines.protocol import Engine, EngineSettings, MayRunOnCpu, PlacedOnGpus, Replays
from tts_eval.model import Model


@dataclass(frozen=True)
class Role:
    """A model and the engine that serves it; `shares_gpus` says that it takes no GPUs beside the policy's.

    An engine that shares must state a share of the memory, as must the policy's own.
    """

    model: Model
    engine: EngineSettings
    shares_gpus: bool = False


@dataclass(frozen=True)
class Deployment:
    """All roles of a cell, the policy first; those with equal model and engine settings share one engine."""

    roles: Mapping[str, Role]

    @property
    def num_gpus(self) -> int:
        """How many GPUs are held, idle ones included."""
        return sum(held["num_gpus"] for held in self.holdings)

    @property
    def is_on_cpu(self) -> bool:
        """Whether no GPU is needed: its engines run on the machine's processors, or replay."""
        engines = [role.engine for role in self.roles.values()]
        return all(isinstance(each, Replays) or _is_on_cpu(each) for each in engines)

    @property
    def engines(self) -> list[list[str]]:
        """Which roles share each engine, those of the policy's first."""
        return [names for names, _ in self._distinct()]

    @property
    def holdings(self) -> list[dict[str, Any]]:
        """Which roles hold how many GPUs together; those that share the policy's are with it.

        So are those on the machine's processors: the machine is held, and paid for, once.
        """
        (names, policy), *others = self._distinct()
        names = [*names, *(name for more, role in others if _takes_none(role) for name in more)]
        own = [(more, role) for more, role in others if not _takes_none(role)]
        return [{"roles": names, "num_gpus": role.engine.num_gpus} for names, role in [(names, policy), *own]]

    def check(self) -> None:
        """Reject with a ValueError what cannot run, before anything is loaded."""
        for _, role in self._placed():
            role.engine.check(role.model)
        shares = {
            names[0]: role.engine.memory_share
            for names, role in self._distinct()
            if (role.shares_gpus or "policy" in names) and isinstance(role.engine, PlacedOnGpus)
        }
        if sum(shares.values()) > 1:
            asked = ", ".join(f"{name} {share:g}" for name, share in shares.items())
            raise ValueError(
                f"engines that share GPUs ask for more than all of their memory ({asked}); "
                f"give engine.gpu_memory_utilization and roles.ROLE.engine.gpu_memory_utilization"
            )

    @asynccontextmanager
    async def start(self) -> AsyncIterator[Mapping[str, Engine]]:
        """Start every engine, yield them by role, and stop them all, whatever happens inside."""
        async with AsyncExitStack() as stack:
            running = dict[str, Engine]()
            for names, role in self._placed():
                engine = await stack.enter_async_context(role.engine.start(role.model))
                running |= dict.fromkeys(names, engine)
            yield running

    def _distinct(self) -> Iterator[tuple[list[str], Role]]:
        """Yield each engine once, with the names of the roles that share it."""
        groups: list[tuple[list[str], Role]] = []
        for name, role in self.roles.items():
            for names, first in groups:
                if (first.model, first.engine) == (role.model, role.engine):
                    names.append(name)
                    break
            else:
                groups.append(([name], role))
        yield from groups

    def _placed(self) -> Iterator[tuple[list[str], Role]]:
        """Yield each engine with the GPUs after those of the engines before it."""
        num_taken = 0
        for names, role in self._distinct():
            if role.shares_gpus or num_taken == 0 or not isinstance(role.engine, PlacedOnGpus):
                yield names, role
            else:
                yield names, Role(role.model, role.engine.placed(num_taken))
            is_beside = "policy" not in names and _takes_none(role)
            num_taken += 0 if is_beside else role.engine.num_gpus


def _takes_none(role: Role) -> bool:
    """Whether a role beside the policy's engine takes no GPU of its own."""
    return role.shares_gpus or _is_on_cpu(role.engine)


def _is_on_cpu(engine: EngineSettings) -> bool:
    return isinstance(engine, MayRunOnCpu) and engine.is_on_cpu


def distinct(engines: Mapping[str, Engine]) -> list[Engine]:
    """Return the engines behind the roles, a shared one once."""
    return list({id(engine): engine for engine in engines.values()}.values())
