"""Every strategy of conf/strategy on every family: whole replies, cut ones, and replies without an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

import tts_eval.command.launch  # noqa: F401  (registers the resolver that conf/config.yaml uses)
from tests.families.bench import ANSWERLESS, BenchEngine
from tests.families.families import BY_NAME, FAMILIES, Family, codec_of
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import mathematics
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter
from tts_eval.model import Model
from tts_eval.protocols import RoleSetup, Setup, StepScores, Verifier
from tts_eval.records import Attempt, Problem, Trace
from tts_eval.toolkit.steps import split_steps

CONF = Path(__file__).parents[2] / "conf"
PROBLEM = Problem("p", "What is 6 x 7?", "42")
SETTINGS: dict[str, Sequence[str]] = {  # few samples, short bounds
    "adaptive_vote": ["strategy.max_n=3"],
    "beam_search": ["strategy.n=2", "strategy.beam_width=2"],
    "best_of_n": ["strategy.n=2"],
    "budgeted_cot": ["strategy.max_thinking_tokens=200"],
    "cascade": ["strategy.cheap.n=2", "strategy.strong.n=2"],
    "deepconf_offline": ["strategy.n=2", "strategy.window=4"],
    "deepconf_online": ["strategy.n=3", "strategy.num_warmup=2", "strategy.window=4"],
    "direct": ["strategy.max_tokens=8"],
    "doubling": ["strategy.first_tokens=8"],
    "dvts": ["strategy.n=2", "strategy.beam_width=2"],
    "early_exit": ["strategy.every=8"],
    "majority_vote": ["strategy.n=2"],
    "particle_filter": ["strategy.n=2"],
    "rebase": ["strategy.n=2"],
    "self_aggregation": ["strategy.n=2"],
    "self_refine": ["strategy.max_rounds=1"],
    "weighted_vote": ["strategy.n=2"],
}
SEARCHES = ("beam_search", "dvts", "mcts", "particle_filter", "rebase", "speculative_reasoning")
CUT: dict[str, dict[str, int]] = {  # what makes each of them small enough for a room that cuts the reply
    **{name: {"max_step_tokens": 16} for name in SEARCHES},
    "budgeted_cot": {"max_thinking_tokens": 8, "max_answer_tokens": 2},  # "42" without the end of its box
    "direct": {"max_tokens": 2},
}
BOUND = ("budgeted_cot", "direct")  # by their own settings
PROBES = ("doubling", "early_exit")  # answer what a probe within the thinking said
STRATEGIES = sorted(file.stem for file in (CONF / "strategy").glob("*.yaml"))
LOOKS = ("budgeted_cot", "doubling", "early_exit")  # into the thinking: refused where there is none
ASKS = (*LOOKS, "direct")  # they open the answer for the model
ON_EVERY = pytest.mark.parametrize("name", STRATEGIES)
ROOM = 10_000


class OfSteps(Verifier):
    """A verifier of steps as configured; `Flat` is the handle on it."""

    @property
    def scores_steps(self) -> bool:
        return True


class Flat:
    """Likes every step the same."""

    def __init__(self, codec: Codec) -> None:
        self._markers = codec.model.markers

    async def score(self, problem: Problem, traces: Sequence[Trace]) -> list[StepScores]:
        return [[0.5] * len(split_steps(trace, self._markers)) for trace in traces]


@pytest.fixture(scope="module")
def strategies() -> dict[str, Any]:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return {
            name: compose("config", [f"strategy={name}", *SETTINGS.get(name, ())]).strategy
            for name in STRATEGIES
        }


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    found = request.param
    assert isinstance(found, Family)
    return found


@pytest.fixture(scope="module")
def codec(family: Family, tmp_path_factory: pytest.TempPathFactory) -> Codec:
    return codec_of(family, tmp_path_factory.mktemp(family.name))


def setup(model: Model, room: int) -> Setup:
    """Return what a run is checked with that has everything any strategy needs."""
    return Setup(model, room, OfSteps(), {"draft": RoleSetup(model, room)}, is_speculative=True)


async def solved(
    config: Any, family: Family, codec: Codec, *, reply: str | None = None, room: int = ROOM
) -> tuple[Attempt, MeteredModel, BenchEngine]:
    """Return what the configured strategy makes of the problem; ValueError where it rejects the model."""
    length = len(codec.prompt(PROBLEM.question)) + room
    engine = BenchEngine(family, codec, family.reply if reply is None else reply, max_model_len=length)
    ticks = iter(range(10**9))
    model = codec.model if room == ROOM else replace(codec.model, min_step_tokens=1)  # or no step fits
    served = Served(model, codec, engine)
    meter = Meter("p", lambda: float(next(ticks)))
    llm = MeteredModel({"policy": served, "draft": served}, meter, mathematics(), run_seed=0)
    strategy = instantiate(config, _convert_="all")  # trace_cache remembers
    strategy.check(setup(model, room))
    return await strategy.solve(PROBLEM, llm, Flat(codec)), llm, engine


async def accepted(
    config: Any, name: str, family: Family, codec: Codec, *, reply: str | None = None, room: int = ROOM
) -> Attempt | None:
    """Return the attempt, its invariants checked; None where there is no thinking to look into."""
    if name in LOOKS and family.end is None:
        with pytest.raises(ValueError, match=f"{family.name!r} has no thinking_end"):
            await solved(config, family, codec, reply=reply, room=room)
        return None
    attempt, llm, engine = await solved(config, family, codec, reply=reply, room=room)
    check_invariants(family, llm, engine)
    return attempt


def cut(config: Any, name: str, room: int) -> tuple[Any, int]:
    """Return the strategy, and the room, that cut the reply: its own bound, where it has one."""
    return OmegaConf.merge(config, CUT.get(name, {})), ROOM if name in BOUND else room


def check_invariants(family: Family, llm: MeteredModel, engine: BenchEngine) -> None:
    """Every thinking token is booked as one, and every prompt is what the model could have written itself."""
    spend = llm.meter.spend()
    drafted = sum(call.num_generated_tokens for call in llm.meter.calls if call.role == "draft")
    if not drafted:
        assert spend.num_thinking_tokens == engine.num_thinking_tokens
    for request in engine.requests:
        written = engine.written(request)
        if family.end is None:
            assert "think" not in written
        elif family.end in written:
            assert written.count(family.end) == 1
            thoughts = written[: written.index(family.end)]
            if family.name == "gpt_oss":
                assert thoughts in (
                    "",
                    thoughts.removesuffix("<|end|><|start|>assistant") + "<|end|><|start|>assistant",
                )
            else:
                assert thoughts.startswith(str(family.start))


@ON_EVERY
async def test_a_whole_reply_is_answered(
    name: str, strategies: dict[str, Any], family: Family, codec: Codec
) -> None:
    attempt = await accepted(strategies[name], name, family, codec)
    assert attempt is None or attempt.answer == "42"


@ON_EVERY
async def test_a_reply_cut_in_its_thinking_is_no_answer(
    name: str, strategies: dict[str, Any], family: Family, codec: Codec
) -> None:
    if not family.thinking:
        pytest.skip("does not think")
    config, room = cut(strategies[name], name, family.num_thinking_tokens - 5)
    attempt = await accepted(config, name, family, codec, room=room)
    assert attempt is not None
    assert attempt.answer in ((None, "42") if name in PROBES else (None,))
    assert "41" not in {candidate.answer for candidate in attempt.candidates}


@ON_EVERY
async def test_a_reply_cut_in_its_answer_is_not_answered_by_its_thinking(
    name: str, strategies: dict[str, Any], family: Family, codec: Codec
) -> None:
    config, room = cut(strategies[name], name, family.num_thinking_tokens + 20)
    attempt = await accepted(config, name, family, codec, room=room)
    if name == "budgeted_cot" and family.end is not None and not family.thinking:  # a budget of thinking
        assert attempt is not None
        assert attempt.answer == "42"
    elif attempt is not None:
        assert attempt.answer in ((None, "42") if name in PROBES else (None,))


@ON_EVERY
async def test_a_reply_without_an_answer_has_none(
    name: str, strategies: dict[str, Any], family: Family, codec: Codec
) -> None:
    attempt = await accepted(strategies[name], name, family, codec, reply=family.thinking + ANSWERLESS)
    if attempt is not None:
        assert attempt.answer in ((None, "42") if name in ASKS else (None,))


@pytest.mark.parametrize(
    ("family_name", "num_generated", "num_thinking"),
    [
        (
            "r1_distill_qwen",
            42 + 36 + 1,
            42,
        ),  # thought, newline, marker; 36 characters less a blank line; end
        ("qwen3", 44 + 36 + 1, 44),
        ("smollm2", 36 + 1, 0),
    ],
)
async def test_tokens_of_one_trace_are_those_counted_by_hand(
    family_name: str, num_generated: int, num_thinking: int, strategies: dict[str, Any], tmp_path: Path
) -> None:
    family = BY_NAME[family_name]
    _, llm, _ = await solved(strategies["cot"], family, codec_of(family, tmp_path))
    spend = llm.meter.spend()
    gap = 2 if family.thinking else 0  # the blank line between marker and answer
    assert (spend.num_calls, spend.num_thinking_tokens) == (1, num_thinking)
    assert spend.num_generated_tokens == num_generated + gap


async def test_a_forced_budget_spends_what_was_counted_by_hand(tmp_path: Path) -> None:
    """16 tokens of thinking, then the lead-in, then `42}.` and the end of the turn."""
    for family in FAMILIES:
        if not family.thinking:
            continue
        codec = codec_of(family, tmp_path / family.name)
        budget = {"_target_": "strategies.budgeted_cot.BudgetedCot", "max_thinking_tokens": 16}
        attempt, llm, engine = await solved(budget, family, codec)
        assert attempt.answer == "42"
        spend = llm.meter.spend()
        assert (spend.num_calls, spend.num_thinking_tokens) == (2, 16)
        assert spend.num_generated_tokens == 16 + 5
        assert engine.written(engine.requests[1]).endswith("\\boxed{")


async def test_an_end_of_thinking_that_the_budget_cuts_is_not_begun_twice(
    family: Family, codec: Codec
) -> None:
    if not family.thinking:
        pytest.skip("does not think")
    rest_of_end = len(codec.encode(str(family.end))) + 4  # and what announces an answer
    for budget in range(family.num_thinking_tokens - rest_of_end, family.num_thinking_tokens + rest_of_end):
        config = {"_target_": "strategies.budgeted_cot.BudgetedCot", "max_thinking_tokens": budget}
        attempt, _, engine = await solved(config, family, codec)
        assert attempt.answer == "42"
        thoughts, _, _ = engine.written(engine.requests[-1]).partition(str(family.end))
        thoughts = thoughts.removesuffix("<|end|><|start|>assistant").rstrip()
        assert not thoughts.endswith(("<", "</", "</t", "</think", "<|im_start|>", "<|end|>"))


@pytest.mark.parametrize("name", ASKS)
async def test_what_a_check_lets_into_a_short_room_is_solved_there(
    name: str, strategies: dict[str, Any], family: Family, codec: Codec
) -> None:
    for room in (1, 8, 9, 40, 94, 130, 300):
        strategy = instantiate(strategies[name], _convert_="all")
        try:
            strategy.check(setup(codec.model, room))
        except ValueError:
            continue
        await solved(strategies[name], family, codec, room=room)
