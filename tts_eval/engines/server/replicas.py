"""Several servers behind one engine: which one takes a request, and which are left out for a while."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b

from tts_eval.engines.server.client import Client
from tts_eval.engines.server.faults import Fault

BLOCK_TOKENS = 16  # prefixes are compared in blocks, as the servers' caches do
NUM_KEPT_BLOCKS = 2**17
NUM_FAULTS = 3  # in a row, after which a replica is left out
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
SLACK_TOKENS = 2048  # by so much more than the idlest a replica may be loaded for the sake of its cache


@dataclass(eq=False)
class Replica:
    """One server: what it has in flight, what it has served, and until when it is left out."""

    client: Client
    outstanding_tokens: int = 0
    num_calls: int = 0
    num_generated_tokens: int = 0
    num_faults: int = 0
    num_faults_in_a_row: int = 0
    out_until_s: float = 0.0
    is_tried: bool = False  # a replica that was left out is tried by one request alone

    @property
    def url(self) -> str:
        """Its base URL."""
        return self.client.url

    @property
    def is_suspect(self) -> bool:
        """Whether it has failed so often that one more fault leaves it out again."""
        return self.num_faults_in_a_row >= NUM_FAULTS

    def is_open(self, now_s: float) -> bool:
        """Whether it takes requests now."""
        return now_s >= self.out_until_s and not (self.is_suspect and self.is_tried)

    def failed(self, fault: Fault) -> None:
        """Count a fault; too many in a row leave the replica out, each time for longer."""
        self.num_faults += 1
        if not fault.is_down:
            self.num_faults_in_a_row = 0
            return
        self.num_faults_in_a_row += 1
        if self.is_suspect:
            pause_s = FIRST_PAUSE_S * 2.0 ** min(10, self.num_faults_in_a_row - NUM_FAULTS)
            self.out_until_s = time.monotonic() + min(LONGEST_PAUSE_S, pause_s)


@dataclass(eq=False)
class Replicas:
    """The servers of one engine, balanced by outstanding tokens, with a preference for a cached prefix."""

    replicas: Sequence[Replica]
    has_affinity: bool = True
    _blocks: OrderedDict[bytes, Replica] = field(default_factory=OrderedDict)

    @asynccontextmanager
    async def leased(self, token_ids: Sequence[int], num_tokens: int) -> AsyncIterator[Replica]:
        """Yield the replica for a request of `num_tokens` in all; its faults are counted."""
        blocks = self._blocks_of(token_ids) if len(self.replicas) > 1 and self.has_affinity else []
        replica = await self._chosen(blocks)
        for block in blocks:
            self._blocks[block] = replica
            self._blocks.move_to_end(block)
        while len(self._blocks) > NUM_KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        replica.outstanding_tokens += num_tokens
        replica.is_tried = True
        try:
            yield replica
        except Fault as fault:
            replica.failed(fault)
            raise
        else:
            replica.num_faults_in_a_row = 0
        finally:
            replica.outstanding_tokens -= num_tokens
            replica.is_tried = False

    async def _chosen(self, blocks: Sequence[bytes]) -> Replica:
        """Wait until a replica is open, and return the best of those that are."""
        while True:
            now_s = time.monotonic()
            open_ones = [replica for replica in self.replicas if replica.is_open(now_s)]
            if open_ones:
                return self._best(open_ones, blocks)
            wakes_s = min(replica.out_until_s for replica in self.replicas)
            await asyncio.sleep(max(0.05, wakes_s - now_s))

    def _best(self, open_ones: Sequence[Replica], blocks: Sequence[bytes]) -> Replica:
        idlest = min(open_ones, key=lambda replica: (replica.outstanding_tokens, replica.num_calls))
        for block in reversed(blocks):  # the longest prefix first
            known = self._blocks.get(block)
            if known in open_ones and known is not None:
                is_light = known.outstanding_tokens <= 2 * idlest.outstanding_tokens + SLACK_TOKENS
                return known if is_light else idlest
        return idlest

    def _blocks_of(self, token_ids: Sequence[int]) -> list[bytes]:
        """Return a name for each prefix of whole blocks, the shortest first."""
        names, name = [], b""
        for end in range(BLOCK_TOKENS, len(token_ids) + 1, BLOCK_TOKENS):
            block = repr(token_ids[end - BLOCK_TOKENS : end]).encode()
            name = blake2b(name + block, digest_size=8).digest()
            names.append(name)
        return names
