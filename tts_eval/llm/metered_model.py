"""The metered handle: turns a strategy's wishes into requests, and has what each one spent booked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from tts_eval.concurrency import together, unbroken
from tts_eval.engines.protocol import SampleStream
from tts_eval.llm.call import OpenCall, Served
from tts_eval.llm.reward_reader import MeteredReader
from tts_eval.measuring.budget import Allowance
from tts_eval.measuring.meter import Meter
from tts_eval.protocols import Task
from tts_eval.records import Candidate, Finish, Markers, Problem, Trace
from tts_eval.requests import Completion, Request, derive_seed, digest, uniform
from tts_eval.spend import Call

LOOKS_A_BUDGET = 1000  # a look copies the whole sample, so a long one is not counted token by token


@dataclass(frozen=True)
class MeteredModel:
    """What one problem's strategy holds of the models of a run.

    `roles` maps each role to the model that plays it; "policy" is always there. `task` finds answers
    and groups them. `is_part` says that what this handle's holder answers is only a part of the problem's
    answer. `num_logprobs` are requested from the policy at least, as its verifier reads them. `about` is the
    call whose sample this handle's holder scores.
    """

    roles: Mapping[str, Served]
    meter: Meter
    task: Task
    run_seed: int
    role: str = "policy"
    allowance: Allowance = field(default_factory=Allowance)
    priority: int = 0
    is_part: bool = False
    num_logprobs: int | None = None
    about: int | None = None

    @property
    def served(self) -> Served:
        """The model behind this handle's role."""
        return self.roles[self.role]

    @property
    def markers(self) -> Markers:
        """The strings that divide this model's text."""
        return self.served.model.markers

    def as_role(self, role: str) -> MeteredModel:
        """Return the handle on the model configured for `role`, metered under that role."""
        if role not in self.roles:
            raise ValueError(f"no model is configured for role {role!r}; there are: {', '.join(self.roles)}")
        return replace(self, role=role)

    def start(
        self,
        problem: Problem,
        *,
        thinking: bool = True,
        turns: Sequence[str] = (),
        is_instructed: bool = True,
    ) -> Trace:
        """Return the empty trace of `problem`, or of what the dialogue `turns` has made of it."""
        codec = self.served.codec
        prompt_ids = codec.prompt(
            problem.question, thinking=thinking, turns=turns, is_instructed=is_instructed
        )
        return Trace(prompt_ids, codec)

    async def extend(
        self,
        trace: Trace,
        *,
        n: int = 1,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        temperature: float | None = None,
        top_p: float | None = None,
        num_logprobs: int | None = None,
        max_thinking_tokens: int | None = None,
    ) -> list[Trace]:
        """Return `n` independent continuations; each is a request of its own, timed by itself."""
        calls = [
            self._begin(trace, max_tokens, tuple(stop), temperature, top_p, num_logprobs, max_thinking_tokens)
            for _ in range(n)
        ]
        traces = await together(self._finish(call) for call in calls)
        if max_thinking_tokens is not None:
            for grown in traces:
                self._check_thinking(trace, grown, max_thinking_tokens)
        return traces

    @asynccontextmanager
    async def stream(
        self,
        trace: Trace,
        *,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        temperature: float | None = None,
        top_p: float | None = None,
        num_logprobs: int | None = None,
        every: int = 1,
    ) -> AsyncIterator[AsyncIterator[Trace]]:
        """Yield the trace as it grows; all that was generated within the context is booked as one call."""
        call = self._begin(trace, max_tokens, tuple(stop), temperature, top_p, num_logprobs)
        async with self._watch(call, every=every) as growing:
            yield growing

    def answer(self, trace: Trace) -> str | None:
        """Return the answer stated after the thinking part; an unfinished one states none."""
        if trace.is_thinking:
            return None
        is_truncated = trace.finish is Finish.LENGTH
        return self.task.extract_truncated(trace.said) if is_truncated else self.task.extract(trace.said)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        """Return the indices of the answers that are the same to the task, the largest group first."""
        asked_s = self.meter.clock()
        groups = await self.task.group(answers)
        self.meter.grading_wait_s += self.meter.clock() - asked_s
        return groups

    def room_tokens(self, trace: Trace) -> int:
        """Return how many tokens the model's length leaves after `trace`."""
        return self.served.engine.facts.max_model_len - len(trace.prompt_ids) - trace.num_tokens

    def uniform(self, key: str) -> float:
        """Return a number in [0, 1) that run seed, problem and `key` decide."""
        return uniform(derive_seed(self.run_seed, self.meter.problem_id, "uniform", key))

    def interim(self, answer: str | None, candidates: Sequence[Candidate] = ()) -> None:
        """Note that `answer` is the best one so far, chosen from `candidates`; None displaces no answer."""
        standing = self.meter.interims[-1].answer if self.meter.interims else None
        if not self.is_part and (answer is not None or standing is None):
            self.meter.interim(answer, candidates)

    def as_part(self) -> MeteredModel:
        """Return the handle for a part of a strategy, whose interim answers are not the problem's."""
        return replace(self, is_part=True)

    def scoring(self, trace: Trace) -> MeteredModel:
        """Return the handle for a verifier of `trace`, whose calls are booked as being about it."""
        return replace(self, about=trace.call)

    def rebook(self, call: Call) -> None:
        """Book a call that was recorded with a sample: what it took then, but for the time."""
        number, now_s = self.meter.next_call_number(), self.meter.clock()
        self.meter.add(replace(call, number=number, submitted_s=now_s, finished_s=now_s, about=self.about))

    async def read(
        self, token_ids: Sequence[int], ends: Sequence[int], *, num_known: int = 0
    ) -> list[tuple[float, ...]]:
        """Return a reward model's logits at `ends[num_known:]`, rising positions in `token_ids`."""
        reader = MeteredReader(self.served, self.meter, self.role, self.about)
        return await reader.read(token_ids, ends, num_known=num_known)

    def note_unread(self, num_steps: int) -> None:
        """Count steps that a verifier passed over because they did not fit its model."""
        self.meter.num_unread_steps += num_steps

    def note_unscored(self) -> None:
        """Count a trace on which a verifier came to no verdict."""
        self.meter.num_unscored_traces += 1

    def _begin(
        self,
        trace: Trace,
        max_tokens: int | None,
        stop: tuple[str, ...],
        temperature: float | None,
        top_p: float | None,
        num_logprobs: int | None,
        max_thinking_tokens: int | None = None,
    ) -> OpenCall:
        prompt_ids = trace.prompt_ids + trace.token_ids
        room = self.room_tokens(trace)
        if room < 1 or (max_tokens is not None and not 1 <= max_tokens <= room):
            asked = "more tokens" if max_tokens is None else f"max_tokens={max_tokens}"
            raise ValueError(
                f"{asked} asked for after {len(prompt_ids)} tokens; "
                f"the model's length of {len(prompt_ids) + room} leaves room for {max(room, 0)}"
            )
        granted = room if max_tokens is None else max_tokens
        if self.role == "policy":
            granted = self.allowance.grant(granted)
        if self.role == "policy" and self.num_logprobs is not None:
            num_logprobs = max(self.num_logprobs, num_logprobs or 0)
        number = self.meter.next_call_number()
        request = Request(
            prompt_ids,
            self.served.model.sampling.override(temperature=temperature, top_p=top_p),
            max_tokens=granted,
            stop=stop,
            seed=self._seed(prompt_ids),
            num_logprobs=num_logprobs,
            max_thinking_tokens=max_thinking_tokens,
            priority=self.priority,
        )
        return OpenCall(trace, request, number, self.meter.clock())

    def _seed(self, prompt_ids: tuple[int, ...]) -> int | None:
        """Return the seed of the next sample of a prefix, whatever else is asked in whatever order.

        None for an engine without seeds (engine.seeded=false).
        """
        if not self.served.engine.facts.takes_seeds:
            return None
        prefix = digest(prompt_ids)
        number = self.meter.next_sample_number(self.role, prefix)
        return derive_seed(self.run_seed, self.meter.problem_id, self.role, prefix, number)

    @asynccontextmanager
    async def _watch(self, call: OpenCall, *, every: int) -> AsyncIterator[AsyncIterator[Trace]]:
        """Open a stream for `call`; however the context is left, all that was generated is booked."""
        is_counted = self.allowance.budget.max_tokens is not None and self.role == "policy"
        finest = max(1, (self.allowance.budget.max_tokens or 0) // LOOKS_A_BUDGET)
        stream = self.served.sampler.stream(call.request, every=min(every, finest) if is_counted else every)

        has_ended = False

        async def growing() -> AsyncIterator[Trace]:
            nonlocal has_ended
            num_seen = 0
            async for completion in stream:
                num_tokens, has_ended = len(completion.token_ids), completion.finish is not None
                if is_counted:
                    self.allowance.see(call.number, num_tokens, completion.finish)
                    if completion.finish is None:
                        self.allowance.check()
                if completion.finish is None and num_tokens - num_seen < every:
                    continue
                num_seen = num_tokens
                yield call.grown(completion)

        try:
            yield growing()
        finally:
            closing = self._close(call, stream)
            await (closing if has_ended else unbroken(closing))  # one that has ended is not waited for

    async def _close(self, call: OpenCall, stream: SampleStream) -> None:
        """Stop a sample where it stands, and book all of it."""
        completion = await stream.close()
        self._book(call, completion, call.grown(completion))

    async def _finish(self, call: OpenCall) -> Trace:
        """Draw the sample to its end; one that is stopped, as a sibling failed, is booked too."""
        async with self._watch(call, every=call.request.max_tokens) as growing:
            [*_, grown] = [trace async for trace in growing]
        return grown

    def _check_thinking(self, trace: Trace, grown: Trace, max_thinking_tokens: int) -> None:
        """Raise RuntimeError if more was thought than the engine was asked to allow, the end marker aside."""
        thinking = self.served.codec.thinking
        thought = thinking.num_thoughts(grown) - thinking.num_thoughts(trace)
        if thought > max_thinking_tokens:
            raise RuntimeError(
                f"the engine let {thought} tokens be thought; it was asked to end at {max_thinking_tokens}"
            )

    def _book(self, call: OpenCall, completion: Completion, grown: Trace) -> None:
        num_thinking_tokens = call.num_thinking_tokens(grown)
        booked = call.booked(
            completion,
            num_thinking_tokens=num_thinking_tokens,
            problem_id=self.meter.problem_id,
            role=self.role,
            about=self.about,
            finished_s=self.meter.clock(),
        )
        if self.role == "policy":
            self.allowance.see(call.number, booked.num_generated_tokens, booked.finish)
        self.meter.add(booked)
