"""Monte Carlo tree search over reasoning steps, with a verifier's scores for values.

A simulation ends in a finished trace, as in openr, rStar and llm-reasoners. UCT: Kocsis & Szepesvári 2006;
PUCT with priors from the model: Silver et al., AlphaZero 2018.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import ClassVar

from tts_eval.concurrency import tasks
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import number, one_of, whole
from tts_eval.records import Attempt, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.search import CHOICES, Node, Search, StepSearch, ancestry

BY_VISITS = "visits"
PUCT_BASE = 19652  # AlphaZero's: exploration grows with the logarithm of the visits


@dataclass(frozen=True, kw_only=True)
class Mcts(StepSearch):
    """Each simulation goes down the tree, grows one new step where there is room for one, and backs it up.

    A node has up to `width` children. The way down follows `selection`: uct, or puct with the steps' own
    likelihoods for priors. A new step is worth the score of the trace that it is written to its end as or,
    without `rollout`, its own, as no published search has it: nearly every step is right so far. A node is
    worth the `backup` (mean or max) of what is below it. `in_flight` simulations run at a time: each counts
    as a visit worth nothing until it lands (virtual loss, Chaslot et al. 2008). With `in_order` they land
    in the order in which they set out: the same run grows the same tree, but a long step holds up those
    behind it. Without, each lands when it has finished: faster, and the tree hangs on timing.

    The search ends after `max_simulations` or once `max_tree_tokens` have been written, whichever is set and
    comes first, or when the tree is complete. `answer_by` visits takes the finished trace that the most
    visited steps lead to. If none has finished by then, the most visited path is written to its end.
    """

    WIDTH: ClassVar[str] = "width"
    answer_by: str = one_of("weighted", (BY_VISITS, *CHOICES))
    max_simulations: int | None = whole(64, minimum=1, or_null=True)
    max_tree_tokens: int | None = whole(None, minimum=1)
    width: int = whole(4, minimum=1)
    in_flight: int = whole(8, minimum=1)
    in_order: bool = True
    selection: str = one_of("uct", ("uct", "puct"))
    exploration: float = number(1.0, minimum=0.0)
    backup: str = one_of("mean", ("mean", "max"))
    rollout: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_simulations is None and self.max_tree_tokens is None:
            raise ValueError("strategy.max_simulations and strategy.max_tree_tokens must not both be null")

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return the most that all simulations may cost, each of which writes a trace at most."""
        bounds = []
        if self.max_simulations is not None:
            bounds.append(self.max_simulations * room_tokens)
        if self.max_tree_tokens is not None:
            bounds.append(self.max_tree_tokens + self.in_flight * room_tokens)
        return MaxSpend(math.ceil(min(bounds) / room_tokens), min(bounds) + room_tokens)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Keep simulations in flight until the budget is spent, then answer."""
        search = self.begin(problem, llm, verifier)
        tree = _GrowingTree(self, search, search.plant())
        flights: dict[asyncio.Task[_Simulated], Node] = {}
        async with tasks() as group:
            while True:
                leaf = tree.select() if len(flights) < self.in_flight and self._may_go_on(tree) else None
                if leaf is not None:
                    tree.depart(leaf)
                    flights[group.create_task(self._simulate(search, leaf))] = leaf
                elif flights:
                    awaited = list(flights)[:1] if self.in_order else list(flights)
                    landed, _ = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                    for flight in filter(landed.__contains__, awaited):
                        tree.land(flights.pop(flight), flight.result())
                else:
                    break
        if not tree.ends:
            leaf = tree.most_visited()
            tree.ends[leaf] = await search.complete(leaf)
        attempt = await search.attempt(list(tree.ends.values()))
        if self.answer_by == BY_VISITS:
            return replace(attempt, answer=tree.ends[tree.most_visited()].answer)
        return attempt

    @property
    def chosen_by(self) -> str:
        """How the best of some finished traces is chosen, visits or not."""
        return "best" if self.answer_by == BY_VISITS else self.answer_by

    def _may_go_on(self, tree: _GrowingTree) -> bool:
        is_within_simulations = self.max_simulations is None or tree.num_departed < self.max_simulations
        is_within_tokens = self.max_tree_tokens is None or tree.num_written < self.max_tree_tokens
        return is_within_simulations and is_within_tokens

    async def _simulate(self, search: Search, leaf: Node) -> _Simulated:
        child = await search.child(leaf, num_logprobs=0 if self.selection == "puct" else None)
        if search.is_finished(child):
            return _Simulated(child, child)
        return _Simulated(child, await search.complete(child) if self.rollout else None)


@dataclass(frozen=True)
class _Simulated:
    """A new step, and the finished trace that it is the end of or was rolled out to, if any."""

    child: Node
    end: Node | None


@dataclass
class _GrowingTree:
    """The tree under `root`, with the simulations that are still on their way.

    `ends` holds the finished traces by the node at which each was found.
    """

    settings: Mcts
    search: Search
    root: Node
    ends: dict[Node, Node] = field(default_factory=dict)
    num_departed: int = 0
    num_written: int = 0
    _passing: Counter[Node] = field(default_factory=Counter)
    _expected: Counter[Node] = field(default_factory=Counter)

    def select(self) -> Node | None:
        """Return the node to grow a step from, None while all that could grow is waited for (or complete)."""
        node = self.root
        if not self._is_open(node):
            return None
        while not self._has_room(node):
            node = max(filter(self._is_open, node.children), key=self._promise)
        return node

    def depart(self, leaf: Node) -> None:
        """Take note that a simulation is on its way through `leaf`."""
        self.num_departed += 1
        self._expected[leaf] += 1
        self._passing.update(ancestry(leaf))

    def land(self, leaf: Node, simulated: _Simulated) -> None:
        """Add the new step to the tree and back its value up."""
        child, end = simulated.child, simulated.end
        self._expected[leaf] -= 1
        self._passing.subtract(ancestry(leaf))
        leaf.children.append(child)
        last = child
        if end is not None:
            self.ends[child] = last = end
        self.num_written += last.trace.num_tokens - leaf.trace.num_tokens
        for node in ancestry(child):
            node.num_visits += 1
            if node.value is None:
                node.value = last.score
            elif self.settings.backup == "mean":
                node.value += (last.score - node.value) / node.num_visits
            else:
                node.value = max(node.value, last.score)

    def most_visited(self) -> Node:
        """Return the node that the most visited steps lead to; once there are ends, one that has an end."""
        fruitful = {node for found in self.ends for node in ancestry(found)}
        node = self.root
        while ways := [child for child in node.children if child in fruitful or not fruitful]:
            node = max(ways, key=lambda child: (child.num_visits, child.value))
        return node

    def _has_room(self, node: Node) -> bool:
        taken = len(node.children) + self._expected[node]
        return taken < self.settings.width and not self.search.is_finished(node)

    def _is_open(self, node: Node) -> bool:
        return self._has_room(node) or any(map(self._is_open, node.children))

    def _promise(self, node: Node) -> float:
        assert node.parent is not None
        num_visits = node.num_visits + self._passing[node]
        num_of_parent = node.parent.num_visits + self._passing[node.parent]
        value = (node.value or 0.0) * node.num_visits / num_visits
        if self.settings.selection == "uct":
            return value + self.settings.exploration * math.sqrt(math.log(num_of_parent) / num_visits)
        prior = node.likelihood / math.fsum(child.likelihood for child in node.parent.children)
        rate = math.log((num_of_parent + PUCT_BASE + 1) / PUCT_BASE) + self.settings.exploration
        return value + rate * prior * math.sqrt(num_of_parent) / (1 + num_visits)
