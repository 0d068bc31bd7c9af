"""The settings of strategies that draw traces from the model: how, how long, and how many."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Setup, Strategy, Verifier
from tts_eval.protocols.bounds import number, one_of, temperature, whole
from tts_eval.records import Candidate, Problem, Trace
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.voting import AGGREGATIONS, scored


@dataclass(frozen=True, kw_only=True)
class Tempered(Strategy):
    """Tokens are drawn at `temperature` (0: greedy) and `top_p`; null: as the model's authors recommend."""

    temperature: float | None = temperature(None)
    top_p: float | None = number(None, minimum=1e-6, maximum=1.0)

    def is_greedy(self, model: Model) -> bool:
        """Return whether each sample takes the likeliest token; with parts, the sampling is theirs."""
        own = model.sampling.override(temperature=self.temperature, top_p=self.top_p)
        return super().is_greedy(model) if self.parts else own.is_greedy

    def check_drawn(self, name: str, num_samples: int, model: Model) -> None:
        """Raise ValueError where `num_samples`, the setting `name`, would be drawn of one greedy text."""
        if num_samples > 1 and self.is_greedy(model):
            raise ValueError(
                f"{name}={num_samples} samples at temperature 0 are all the same; give a temperature above "
                f"0, or null for the model's own ({model.name}: {model.temperature:g})"
            )


@dataclass(frozen=True, kw_only=True)
class Sampled(Tempered):
    """A trace has at most `max_tokens`, thinking and answer together; null leaves it the model's length."""

    max_tokens: int | None = whole(None, minimum=1)

    def check(self, setup: Setup) -> None:
        """Raise ValueError for a bound that the model's length cannot hold."""
        super().check(setup)
        checks.fits("strategy.max_tokens", self.max_tokens, setup.room_tokens)

    def max_spend(self, room_tokens: int) -> MaxSpend | None:
        """Return one trace."""
        return self.trace_spend(room_tokens)

    def trace_spend(self, room_tokens: int) -> MaxSpend:
        """Return the upper bound of one trace."""
        return MaxSpend(1, self.max_tokens or room_tokens)

    async def sample(
        self, llm: LanguageModel, start: Problem | Trace, *, num_logprobs: int | None = None
    ) -> Trace:
        """Draw one trace that answers a problem, or that goes on from a trace."""
        [trace] = await llm.extend(
            llm.start(start) if isinstance(start, Problem) else start,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            num_logprobs=num_logprobs,
        )
        return trace


@dataclass(frozen=True, kw_only=True)
class Repeated(Sampled):
    """`n` traces are drawn alike: greedy ones would be copies of each other, and raise ValueError."""

    n: int = whole(16, minimum=1)

    def check(self, setup: Setup) -> None:
        """Raise ValueError for a bound that the model's length cannot hold, and for greedy samples."""
        super().check(setup)
        self.check_drawn("strategy.n", self.n, setup.model)

    def max_spend(self, room_tokens: int) -> MaxSpend | None:
        """Return n traces."""
        return self.trace_spend(room_tokens) * self.n


@dataclass(frozen=True, kw_only=True)
class Scored(Repeated):
    """A verifier scores each trace; the scores of its steps make one by `aggregation`."""

    aggregation: str = one_of("min", AGGREGATIONS)

    def check(self, setup: Setup) -> None:
        """Raise ValueError without a verifier."""
        super().check(setup)
        option = type(self).__module__.rpartition(".")[2]
        checks.given("verifier", setup.verifier, needed_by=option)

    async def draw(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Candidate:
        """Draw one trace and have it scored."""
        assert verifier is not None
        trace = await self.sample(llm, problem)
        return await scored(llm, verifier, problem, trace, aggregation=self.aggregation)
