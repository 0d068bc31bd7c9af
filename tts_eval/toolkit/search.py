"""What searches over reasoning steps share: their settings, how a node grows and is scored, how they answer.

Which node grows next is the strategy's business.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tts_eval import checks
from tts_eval.concurrency import together
from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.protocols.bounds import divisor, one_of, whole
from tts_eval.records import Attempt, Candidate, Problem, Trace, TreeNode
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.sampled import Tempered
from tts_eval.toolkit.steps import StepSampling, grow_step, grow_to_end, is_finished
from tts_eval.toolkit.voting import AGGREGATIONS, aggregate, best_scored, plurality, weighted_plurality


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


GREEDY = 0.0
CHOICES = ("best", "weighted", "majority")


@dataclass(frozen=True, kw_only=True)
class StepSearch(Tempered):
    """Settings of a search that a verifier guides step by step.

    A node is scored by `aggregation` over the scores of its steps. The answer is that of the `best` finished
    trace, or a vote of all finished ones: `weighted` by their scores, or by `majority`. The last of
    `max_steps` steps is written to the end of the trace.
    """

    WIDTH: ClassVar[str] = "n"  # the setting that says how many steps a prefix is grown by

    aggregation: str = one_of("last", AGGREGATIONS)
    answer_by: str = one_of("best", CHOICES)
    max_steps: int = whole(100, minimum=1)
    max_step_tokens: int = whole(512, minimum=1)

    @property
    def chosen_by(self) -> str:
        """How the best of some finished traces is chosen."""
        return self.answer_by

    @property
    def sampling(self) -> StepSampling:
        """How the tokens of a step are drawn."""
        return StepSampling(self.max_step_tokens, self.temperature, self.top_p)

    def check(self, setup: Setup) -> None:
        """Raise ValueError without a guide, and for steps too long, too short or all the same."""
        super().check(setup)
        if setup.verifier is None:
            raise ValueError(f"{type(self).__name__} is guided by a verifier; give verifier=..., not none")
        checks.fits("strategy.max_step_tokens", self.max_step_tokens, setup.room_tokens)
        self.check_drawn(f"strategy.{self.WIDTH}", getattr(self, self.WIDTH), setup.model)
        if self.max_step_tokens < setup.model.min_step_tokens:
            raise ValueError(
                f"strategy.max_step_tokens is {self.max_step_tokens}; "
                f"model.min_step_tokens asks for at least {setup.model.min_step_tokens}"
            )

    def spend_of(self, num_traces: int, *, room_tokens: int, lookahead: int = 0) -> MaxSpend:
        """Return the most that `num_traces` grown step by step may cost; a dropped step is paid for too."""
        before_last = (self.max_steps - 1) * (1 + lookahead) * self.max_step_tokens
        return MaxSpend(num_traces, num_traces * (before_last + room_tokens))

    def begin(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Search:
        """Return the search for an answer to `problem`."""
        assert verifier is not None
        return Search(self, problem, llm, verifier)


@dataclass(frozen=True, kw_only=True)
class WideSearch(StepSearch):
    """`n` traces grow at a time."""

    n: int = whole(16, minimum=1)

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return the upper bound of all traces."""
        return self.spend_of(self.n, room_tokens=room_tokens)


@dataclass(frozen=True, kw_only=True)
class BeamedSearch(WideSearch):
    """The best of `beam_width` steps goes on; with `lookahead` k, by what k further greedy steps score."""

    beam_width: int = divisor(4, of="n")
    lookahead: int = whole(0, minimum=0)

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return the upper bound of all traces, and of the steps that only look ahead."""
        return self.spend_of(self.n, room_tokens=room_tokens, lookahead=self.lookahead)


@dataclass
class Search:
    """The search for the answer to one problem."""

    settings: StepSearch
    problem: Problem
    llm: LanguageModel
    verifier: Verifier
    roots: list[Node] = field(default_factory=list)
    _finished: list[Node] = field(default_factory=list)

    def plant(self) -> Node:
        """Return the root of a new tree: the problem's empty trace."""
        self.roots.append(Node(self.llm.start(self.problem)))
        return self.roots[-1]

    def is_finished(self, node: Node) -> bool:
        """Whether `node` cannot grow any more."""
        return node.parent is not None and is_finished(self.llm, node.trace)

    async def grow(self, nodes: Sequence[Node], *, lookahead: int = 0) -> list[Node]:
        """Return a new child of each of `nodes` (one that stands there twice gets two), grown concurrently.

        Each child is scored as soon as it is there, with `lookahead` through the trace that so many further
        greedy steps make of it (Snell et al., arXiv 2408.03314, section 5.2); those steps are thrown away.
        """
        children = await together(self.child(node, lookahead=lookahead) for node in nodes)
        for node, child in zip(nodes, children, strict=True):
            node.children.append(child)
        return children

    async def child(self, node: Node, *, lookahead: int = 0, num_logprobs: int | None = None) -> Node:
        """Return `node` grown by one step and scored, without making it a child of the tree yet."""
        is_last = node.depth + 1 >= self.settings.max_steps
        grow = grow_to_end if is_last else grow_step
        child = Node(
            await grow(self.llm, node.trace, self.settings.sampling, num_logprobs=num_logprobs), node
        )
        await self._score(child, lookahead)
        if self.is_finished(child):
            await self._finish(child)
        return child

    async def complete(self, node: Node) -> Node:
        """Return `node` written to its end and scored; the end is no part of the tree."""
        end = Node(await grow_to_end(self.llm, node.trace, self.settings.sampling), node)
        await self._score(end, lookahead=0)
        await self._finish(end)
        return end

    async def _score(self, node: Node, lookahead: int) -> None:
        ahead = node.trace
        greedy = StepSampling(self.settings.max_step_tokens, GREEDY)
        for _ in range(lookahead):
            if is_finished(self.llm, ahead):
                break
            ahead = await grow_step(self.llm, ahead, greedy)
        [own, *further] = await self.verifier.score(
            self.problem, [node.trace] if ahead is node.trace else [node.trace, ahead]
        )
        node.step_scores = tuple(own)
        node.score = aggregate(further[0] if further else own, self.settings.aggregation)

    async def _finish(self, node: Node) -> None:
        node.answer = self.llm.answer(node.trace)
        self._finished.append(node)
        candidates = [node.candidate() for node in self._finished]
        self.llm.interim(await self._choose(self._finished), candidates)

    async def attempt(self, finished: Sequence[Node]) -> Attempt:
        """Return the attempt whose candidates are `finished`, in this order."""
        candidates = tuple(node.candidate() for node in finished)
        return Attempt(await self._choose(finished), candidates, tree_records(self.roots))

    async def _choose(self, finished: Sequence[Node]) -> str | None:
        answers, scores = [node.answer for node in finished], [node.score for node in finished]
        match self.settings.chosen_by:
            case "best":
                return best_scored(answers, scores)
            case "weighted":
                return await weighted_plurality(self.llm, answers, scores)
            case _:
                return await plurality(self.llm, answers)
