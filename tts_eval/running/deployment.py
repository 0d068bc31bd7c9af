"""The models of a cell and the engines behind them: which roles share one, and the GPUs of each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from tts_eval.devices.visible import TooFewGpus
from tts_eval.engines.protocol import AnyEngine, EngineSettings
from tts_eval.model import Model
from tts_eval.rundir.manifest import Holding

MAX_MEMORY_SHARE = 0.95  # engines that start side by side: CUDA itself takes some of each


@dataclass(frozen=True)
class Role:
    """A model and the engine that serves it; `shares_gpus` says that it takes no GPUs beside the policy's.

    An engine that shares states its part of the memory; the policy's takes what is left where it states none.
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
        return sum(held.num_gpus for held in self.holdings)

    @property
    def is_on_cpu(self) -> bool:
        """Whether no GPU of this machine is needed: all run on its processors, replay, or are servers."""
        return not any(role.engine.memory_share for role in self.roles.values())

    @property
    def engines(self) -> list[list[str]]:
        """Which roles share each engine, those of the policy's first."""
        return [names for names, _ in self._distinct()]

    @property
    def holdings(self) -> list[Holding]:
        """Which roles hold how many GPUs together; those that share the policy's are with it.

        So are those on the machine's processors: the machine is held, and paid for, once.
        """
        (names, policy), *others = self._distinct()
        names = [*names, *(name for more, role in others if _takes_none(role) for name in more)]
        own = [(more, role) for more, role in others if not _takes_none(role)]
        return [
            Holding(roles=names, num_gpus=role.engine.num_gpus) for names, role in [(names, policy), *own]
        ]

    def check(self) -> None:
        """Reject with a ValueError what cannot run, before anything is loaded."""
        for names, role in self._placed():
            try:
                role.engine.check(role.model)
            except TooFewGpus as error:
                if "policy" in names:
                    raise
                raise ValueError(
                    f"role {names[0]}: {error}; share the policy's with roles.{names[0]}.shares_gpus=true "
                    f"roles.{names[0]}.engine.gpu_memory_utilization=0.3"
                ) from error
        shares = self._shares()
        if len(shares) > 1 and sum(shares.values()) > MAX_MEMORY_SHARE:
            asked = ", ".join(f"{name} {share:g}" for name, share in shares.items())
            raise ValueError(
                f"engines that share GPUs ask for more than {MAX_MEMORY_SHARE:g} of their memory ({asked}); "
                f"give engine.gpu_memory_utilization and roles.ROLE.engine.gpu_memory_utilization"
            )

    def _shares(self) -> dict[str, float]:
        """Return the memory shares of the policy's engine and of those on its GPUs, by their first roles."""
        return {
            names[0]: role.engine.memory_share
            for names, role in self._placed()
            if role.shares_gpus or "policy" in names
        }

    @asynccontextmanager
    async def start(self) -> AsyncIterator[Mapping[str, AnyEngine]]:
        """Start every engine, yield them by role, and stop them all, whatever happens inside."""
        async with AsyncExitStack() as stack:
            running = dict[str, AnyEngine]()
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
        """Yield each engine with its GPUs, after those of the engines before it, and its share of memory."""
        num_taken = 0
        guests = [role.engine for _, role in self._distinct() if role.shares_gpus]
        may_leave = bool(guests) and all(guest.states_memory_share for guest in guests)
        for names, role in self._distinct():
            engine, own = role.engine, role.engine
            left = round(own.memory_share - sum(guest.memory_share for guest in guests), 3)
            if "policy" in names and may_leave and left > 0 and not own.states_memory_share:
                engine = own.with_memory_share(left)
            elif num_taken and not role.shares_gpus:
                engine = own.placed(num_taken)
            yield names, replace(role, engine=engine)
            is_beside = "policy" not in names and _takes_none(role)
            num_taken += 0 if is_beside else role.engine.num_gpus


def _takes_none(role: Role) -> bool:
    """Whether a role beside the policy's engine takes no GPU of its own."""
    return role.shares_gpus or role.engine.is_on_cpu


def distinct(engines: Mapping[str, AnyEngine]) -> list[AnyEngine]:
    """Return the engines behind the roles, a shared one once."""
    return list({id(engine): engine for engine in engines.values()}.values())
