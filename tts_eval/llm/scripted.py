"""A scripted model for tests of strategies and verifiers, yours too: every outcome can be worked out by hand.

The metered handles are the real ones; only the engine behind them reads its replies from a script. Its tokens
are words with the space before them, so that a reader can count them.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.call import Served
from tts_eval.llm.markings import Marking, Opening
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.thinking import ThinkingPart
from tts_eval.measuring.budget import Allowance
from tts_eval.measuring.meter import Meter
from tts_eval.model import Model
from tts_eval.protocols import StepScores, Strategy, Task, Verifier
from tts_eval.records import Attempt, Finish, Problem, Trace
from tts_eval.requests import Completion, EngineFacts, Gauges, Request, Timing
from tts_eval.toolkit.steps import split_steps

ASK = "<ask>"
MODEL = Model(
    name="scripted",
    path="nowhere",
    thinking_start="<think>",
    thinking_end=" </think>",
    starts_thinking=True,
    answer_lead_in=" </think> \\boxed{",
    wait=" Wait",
)


class WordCodec:
    """One token a word; ids are given out as words turn up."""

    def __init__(self, model: Model | None = None) -> None:
        self._words: list[str] = []
        self.model = model or MODEL

    @property
    def thinking(self) -> ThinkingPart:
        start, end = self.model.thinking_start, self.model.thinking_end
        marking = None if start is None or end is None else Marking.of(start, end)
        opened = Opening.THINKING if self.model.starts_thinking else Opening.FREE
        openings = {self.encode(f" {ASK} </think>"): Opening.ANSWER, self.encode(f" {ASK}"): opened}
        return ThinkingPart(marking, self, openings)

    def shown(self, text: str, token_ids: Sequence[int]) -> str:
        return text

    def spell(self, token_ids: Sequence[int]) -> str:
        return self.decode(token_ids)

    def spoken(self, token_ids: Sequence[int]) -> str:
        return self.decode(token_ids)

    def ending_with(self, character: str) -> Collection[int]:
        return range(len(self._words))

    def encode(self, text: str) -> tuple[int, ...]:
        words = re.findall(r"\s*\S+|\s+$", text)
        self._words += [word for word in dict.fromkeys(words) if word not in self._words]
        return tuple(self._words.index(word) for word in words)

    def decode(self, token_ids: Sequence[int]) -> str:
        known = (
            i for i in token_ids if i < len(self._words)
        )  # as transformers: a stranger's id says nothing
        return "".join(self._words[i] for i in known)

    def prompt(
        self,
        question: str,
        *,
        thinking: bool = True,
        turns: Sequence[str] = (),
        is_instructed: bool = True,
    ) -> tuple[int, ...]:
        said = " ".join((question, *turns))
        return self.encode(f"{said} {ASK}" + ("" if thinking else " </think>"))


@dataclass
class ScriptedEngine:
    """Continues a prefix with the next of its replies; `replies` maps what follows the prompt to them.

    A reply ends the turn; max_tokens and stop strings cut it as an engine would.
    """

    replies: Mapping[str, Sequence[str]]
    codec: WordCodec = field(default_factory=WordCodec)
    max_model_len: int = 1000
    requests: list[Request] = field(default_factory=list)
    num_generated_tokens: int = 0
    seconds_per_token: float | None = None  # how far apart it says they came; None: it does not say
    num_asked: Counter[str] = field(default_factory=Counter)

    @property
    def facts(self) -> EngineFacts:
        return EngineFacts("scripted", "0", "cpu", 1, self.max_model_len, startup_s=0.5)

    def gauges(self) -> Gauges:
        return Gauges(num_generated_tokens=self.num_generated_tokens)

    async def forget(self) -> None:
        pass

    async def generate(self, request: Request) -> Completion:
        self.requests.append(request)
        prefix = self.codec.decode(request.prompt_ids).split(ASK, 1)[1]
        replies = self.replies[prefix]
        reply = replies[self.num_asked[prefix] % len(replies)]
        self.num_asked[prefix] += 1
        await asyncio.sleep(0)
        finish = Finish.END
        for stop in request.stop:
            if stop in reply:
                reply, finish = reply[: reply.index(stop) + len(stop)], Finish.STOP
        ids = self.codec.encode(reply)
        if len(ids) > request.max_tokens:
            ids, finish = ids[: request.max_tokens], Finish.LENGTH
        self.num_generated_tokens += len(ids)
        timing = Timing(first_token_s=0.0, queue_s=0.0, prefill_s=0.0, decode_s=0.0)
        if self.seconds_per_token is not None:
            times_s = tuple(i * self.seconds_per_token for i in range(len(ids)))
            timing = replace(timing, token_times_s=times_s)
        return Completion(ids, self.codec.decode(ids), finish, timing=timing)

    def stream(self, request: Request, *, every: int = 1) -> ScriptedStream:
        return ScriptedStream(self, request, every)


@dataclass
class ScriptedStream:
    """The reply of a scripted engine, `every` tokens at a time."""

    engine: ScriptedEngine
    request: Request
    every: int
    num_seen: int = 0
    whole: Completion | None = None

    async def __aiter__(self) -> AsyncIterator[Completion]:
        self.whole = await self.engine.generate(self.request)
        for end in range(self.every, len(self.whole.token_ids), self.every):
            self.num_seen = end
            yield self._first(end, None)
            await asyncio.sleep(0)  # others grow in between
        self.num_seen = len(self.whole.token_ids)
        yield self.whole

    async def close(self) -> Completion:
        if self.whole is None:
            return Completion((), "", Finish.ABORT)
        if self.num_seen == len(self.whole.token_ids):
            return self.whole
        return self._first(self.num_seen, Finish.ABORT)

    def _first(self, num_tokens: int, finish: Finish | None) -> Completion:
        assert self.whole is not None
        ids, logprobs, confidences = self.whole.token_ids, self.whole.logprobs, self.whole.confidences
        return replace(
            self.whole,
            token_ids=ids[:num_tokens],
            text=self.engine.codec.decode(ids[:num_tokens]),
            finish=finish,
            logprobs=None if logprobs is None else logprobs[:num_tokens],
            confidences=None if confidences is None else confidences[:num_tokens],
        )


@dataclass
class ScriptedVerifier(Verifier):
    """Scores a step by the first key of `scores` that it contains; a step that no test foresaw is an error.

    A trace without a blank line is one step: then this is an outcome verifier too.
    """

    scores: Mapping[str, float]
    model: Model = MODEL
    scored: list[str] = field(default_factory=list)

    async def score(self, problem: Problem, traces: Sequence[Trace]) -> list[StepScores]:
        self.scored += [trace.text for trace in traces]
        await asyncio.sleep(0)
        return [[self._score(step) for step in split_steps(trace, self.model.markers)] for trace in traces]

    def _score(self, step: str) -> float:
        found = [score for key, score in self.scores.items() if key in step]
        assert found, f"no score was scripted for the step {step!r}"
        return found[0]


def metered(
    engine: ScriptedEngine, *, model: Model = MODEL, allowance: Allowance | None = None
) -> MeteredModel:
    """Return a metered handle on `engine`; its clock counts the times it was looked at."""
    ticks = iter(range(10**9))
    engine.codec.model = model
    served = Served(model, engine.codec, engine)  # type: ignore[arg-type]
    meter = Meter("p", lambda: float(next(ticks)))
    allowance = allowance or Allowance()
    return MeteredModel({"policy": served}, meter, mathematics(), run_seed=0, allowance=allowance)


def mathematics() -> Task:
    """Return a task that compares numbers; no worker is started, which other answers would need."""
    return Task().with_grader(Grader(GradingPool()))


async def solve(
    strategy: Strategy,
    replies: Mapping[str, Sequence[str]],
    *,
    model: Model = MODEL,
    verifier: Verifier | None = None,
) -> tuple[Attempt, ScriptedEngine, Meter]:
    """Let `strategy` answer one problem on a scripted model."""
    engine = ScriptedEngine(replies)
    llm = metered(engine, model=model)
    attempt = await strategy.solve(Problem("p", "What is 6 x 7?", "42"), llm, verifier)
    return attempt, engine, llm.meter
