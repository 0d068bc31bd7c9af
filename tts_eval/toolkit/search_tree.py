"""A tree of reasoning steps: each node is a prefix of a trace, its children are the ways it goes on.

Knows no strategy, model or verifier.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tts_eval.records import Candidate, Trace, TreeNode


@dataclass(eq=False, slots=True)
class Node:
    """A prefix of a trace; `score` is what the search goes by, `step_scores` a verifier's, one a step.

    `value` is what a tree search has learnt of everything below the node.
    """

    trace: Trace
    parent: Node | None = None
    step_scores: tuple[float, ...] = ()
    score: float = 0.0
    answer: str | None = None
    children: list[Node] = field(default_factory=list)
    num_visits: int = 0
    value: float | None = None

    @property
    def depth(self) -> int:
        """How many steps stand between the root and this node."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def text(self) -> str:
        """What this node adds to its parent."""
        return self.trace.text if self.parent is None else self.trace.text[len(self.parent.trace.text) :]

    @property
    def num_tokens(self) -> int:
        """How many tokens this node adds to its parent."""
        before = 0 if self.parent is None else self.parent.trace.num_tokens
        return self.trace.num_tokens - before

    @property
    def likelihood(self) -> float:
        """The geometric mean of the probabilities of the tokens that this node adds."""
        assert self.trace.logprobs is not None
        logprobs = self.trace.logprobs[-self.num_tokens :]
        return math.exp(math.fsum(logprobs) / len(logprobs))

    def candidate(self) -> Candidate:
        """Return this node as one that took part in the choice of the answer."""
        return Candidate.of(self.trace, self.answer, score=self.score, step_scores=self.step_scores)


def ancestry(node: Node) -> Iterator[Node]:
    """Yield `node` and all above it, up to the root."""
    above: Node | None = node
    while above is not None:
        yield above
        above = above.parent


def descendants(node: Node) -> Iterator[Node]:
    """Yield `node` and all below it, parents before their children."""
    waiting = [node]
    while waiting:
        yield (first := waiting.pop())
        waiting.extend(reversed(first.children))


def tree_records(roots: Sequence[Node]) -> tuple[TreeNode, ...]:
    """Return the trees under `roots` as records, parents before their children."""
    nodes = [node for root in roots for node in descendants(root)]
    places = {node: place for place, node in enumerate(nodes)}
    return tuple(
        TreeNode(
            parent=None if node.parent is None else places[node.parent],
            text=node.text,
            score=None if node.parent is None else node.score,
            num_visits=node.num_visits,
            value=node.value,
            answer=node.answer,
        )
        for node in nodes
    )
