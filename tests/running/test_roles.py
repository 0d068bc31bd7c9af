"""A cell with several models: who shares an engine, who holds GPUs, and what each role is charged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from strategies.cascade import Cascade
from strategies.cot import Cot
from tests.running.cells import Calculator, CalculatorSettings, sums_cell
from tts_eval.devices.visible import TooFewGpus
from tts_eval.engines.protocol import EngineSettings
from tts_eval.engines.transformers_reader import TransformersReader
from tts_eval.engines.vllm import platform
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.hardware import Hardware
from tts_eval.llm.scripted import MODEL, WordCodec
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.model import Model
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Candidate, Problem, TextCodec
from tts_eval.requests import Pooled, PoolingRequest, Timing
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.manifest import Holding
from tts_eval.rundir.schema import plain
from tts_eval.running.cell import CheckedRole
from tts_eval.running.deployment import Deployment, Role
from tts_eval.running.sweep import run_sweep
from tts_eval.summary.flops_formulas import call_flops

PRM = replace(MODEL, name="prm")
CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 100,
}


@dataclass
class Reader(Calculator):
    """A reward model that finds every token right with logit 1, and has read the first token before."""

    async def pool(self, request: PoolingRequest) -> Pooled:
        return Pooled(((0.0, 1.0),) * (len(request.token_ids) - 1), num_cached_tokens=1)


@dataclass(frozen=True)
class LastToken(Verifier):
    """A verifier that reads a step's last token."""

    role: str = "verifier"

    def check_role(self, model: Model, codec: TextCodec) -> None:
        pass

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> list[float]:
        prm = llm.as_role("verifier")
        trace = prm.start(problem) + "".join(steps)
        rows = await prm.read(trace.prompt_ids + trace.token_ids, [len(trace.prompt_ids)] * len(steps))
        return [row[1] for row in rows]


@dataclass(frozen=True)
class TwoTracesAndADraft(Strategy):
    """Scores two traces, and lets the draft write one more."""

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        assert verifier is not None
        traces = await llm.extend(llm.start(problem), n=2)
        await llm.as_role("draft").extend(llm.start(problem))
        scores = await verifier.score(problem, traces)
        answer = llm.answer(traces[0])
        return Attempt(answer, (Candidate.of(traces[0], answer, step_scores=scores[0]),))


def role(model: Model = PRM, *, num_gpus: int = 1, shares_gpus: bool = False, starts: Any = None) -> Role:
    engine = Reader({}, codec=WordCodec())
    return Role(
        model, CalculatorSettings(engine, num_gpus, starts if starts is not None else []), shares_gpus
    )


def test_idle_gpus_count_and_shared_ones_count_once() -> None:
    policy, prm = role(MODEL, num_gpus=2), role(num_gpus=4)

    assert Deployment({"policy": policy}).num_gpus == 2
    assert Deployment({"policy": policy, "verifier": prm}).num_gpus == 6
    assert Deployment({"policy": policy, "verifier": replace(prm, shares_gpus=True)}).num_gpus == 2
    assert Deployment({"policy": policy, "judge": policy}).num_gpus == 2


@pytest.mark.parametrize("parallel", ["tensor", "pipeline", "data"])
def test_a_machine_without_gpus_is_held_and_paid_for_once(parallel: str) -> None:
    """Two workers of the policy and a verifier's engine run on the same processors."""
    policy = VllmEngine(**{f"{parallel}_parallel_size": 2})  # type: ignore[arg-type]
    roles = {"policy": Role(MODEL, policy), "verifier": Role(PRM, TransformersReader(device="cpu"))}

    assert policy.num_workers == 2
    assert Deployment({"policy": Role(MODEL, policy)}).num_gpus == 1
    assert Deployment(roles).num_gpus == 1
    assert Deployment(roles).holdings == [Holding(roles=["policy", "verifier"], num_gpus=1)]


@dataclass(frozen=True)
class Placed(EngineSettings):
    """Settings that remember where they were placed."""

    num_gpus: int = 1
    name: str = ""
    at: int = 0
    memory_share: float = 0.9
    starts: list[tuple[str, int]] = field(default_factory=list, compare=False)

    def check(self, model: Model) -> None:
        pass

    def model_len(self, model: Model) -> int:
        return 1000

    def placed(self, first_gpu: int) -> Placed:
        return replace(self, at=first_gpu)

    @property
    def states_memory_share(self) -> bool:
        return self.memory_share != 0.9

    def with_memory_share(self, share: float) -> Placed:
        return replace(self, memory_share=share)

    @asynccontextmanager
    async def start(self, model: Model) -> AsyncIterator[Any]:
        self.starts.append((self.name, self.at))
        yield self


async def test_engines_stand_side_by_side_on_the_gpus() -> None:
    starts = list[tuple[str, int]]()
    deployment = Deployment(
        {
            "policy": Role(MODEL, Placed(2, "policy", starts=starts)),
            "guest": Role(MODEL, Placed(1, "guest", starts=starts), shares_gpus=True),
            "verifier": Role(PRM, Placed(1, "prm", starts=starts)),
            "judge": Role(MODEL, Placed(2, "policy", starts=starts)),
            "draft": Role(MODEL, Placed(1, "draft", starts=starts)),
        }
    )
    async with deployment.start() as engines:
        assert engines["judge"] is engines["policy"]

    assert starts == [("policy", 0), ("guest", 0), ("prm", 2), ("draft", 3)]


def test_engines_that_ask_for_more_memory_than_they_share_are_refused() -> None:
    policy = Role(MODEL, Placed(1, "policy", memory_share=0.6))
    guest = Role(PRM, Placed(1, "prm", memory_share=0.5), shares_gpus=True)

    Deployment({"policy": policy, "verifier": replace(guest, shares_gpus=False)}).check()
    with pytest.raises(
        ValueError, match=r"ask for more than 0.95 of their memory \(policy 0.6, verifier 0.5\)"
    ):
        Deployment({"policy": policy, "verifier": guest}).check()
    with pytest.raises(ValueError, match=r"more than 0.95 of their memory \(policy 0.6, verifier 0.4\)"):
        Deployment({"policy": policy, "verifier": role_with(guest, 0.4)}).check()
    Deployment({"policy": policy, "verifier": role_with(guest, 0.3)}).check()


def role_with(guest: Role, memory_share: float) -> Role:
    return replace(guest, engine=Placed(1, "prm", memory_share=memory_share))


async def test_a_policy_that_states_no_share_leaves_its_guests_theirs() -> None:
    policy = Role(MODEL, Placed(1, "policy"))
    guest = Role(PRM, Placed(1, "prm", memory_share=0.3), shares_gpus=True)
    deployment = Deployment({"policy": policy, "verifier": guest})

    deployment.check()
    async with deployment.start() as engines:
        shares = {name: getattr(engine, "memory_share") for name, engine in engines.items()}  # noqa: B009
    assert shares == {"policy": pytest.approx(0.6), "verifier": 0.3}


@dataclass(frozen=True)
class OnOneGpu(Placed):
    """Settings for a machine with one GPU."""

    def check(self, model: Model) -> None:
        if self.at + self.num_gpus > 1:
            raise TooFewGpus("this machine has 1 GPU")

    def placed(self, first_gpu: int) -> OnOneGpu:
        return replace(self, at=first_gpu)


def test_a_role_without_a_gpu_of_its_own_is_shown_how_to_share() -> None:
    policy = Role(MODEL, OnOneGpu(1, "policy", memory_share=0.6))
    prm = Role(PRM, OnOneGpu(1, "prm", memory_share=0.3))

    with pytest.raises(ValueError, match=r"role verifier: .* roles.verifier.shares_gpus=true"):
        Deployment({"policy": policy, "verifier": prm}).check()
    Deployment({"policy": policy, "verifier": replace(prm, shares_gpus=True)}).check()


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """VLLM's CUDA build on a machine with one GPU, as far as checks look at it."""
    monkeypatch.setattr(platform, "installed", lambda: ("vllm", "0.32.0"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


def test_a_reader_on_one_gpu_shares_it_by_name(one_gpu: None, tiny: Model) -> None:
    policy, reader = Role(tiny, VllmEngine()), Role(tiny, TransformersReader(dtype="float32"))

    with pytest.raises(ValueError, match="role verifier: engine=transformers needs a GPU beside the 1 of"):
        Deployment({"policy": policy, "verifier": reader}).check()
    shared = replace(reader, shares_gpus=True)
    with pytest.raises(ValueError, match=r"\(policy 0.92, verifier 0.9\)"):
        Deployment({"policy": policy, "verifier": shared}).check()
    roles = {
        "policy": policy,
        "verifier": replace(shared, engine=TransformersReader(gpu_memory_utilization=0.2)),
    }
    Deployment(roles).check()
    assert Deployment(roles).num_gpus == 1


def test_a_gpu_is_not_priced_as_a_machine_without(one_gpu: None, tmp_path: Path) -> None:
    checked, _ = sums_cell(tmp_path, strategy=TwoTracesAndADraft(), num_problems=1)
    on_gpu = replace(checked.cell, engine=VllmEngine(), hardware=Hardware("CPU"))

    with pytest.raises(ValueError, match=r"the engine runs on a GPU, but .* give hardware=h100"):
        on_gpu._check_hardware()
    replace(on_gpu, hardware=Hardware("NVIDIA Novelty"))._check_hardware()


async def test_every_role_is_charged_for_its_own_calls(tmp_path: Path) -> None:
    """A sum is a prompt of 4 tokens ("i + i <ask>") and 5 generated ones; the verifier reads 1 of these."""
    checked, engine = sums_cell(tmp_path, strategy=TwoTracesAndADraft(), num_problems=2)
    starts = list[str]()
    roles = {"verifier": role(starts=starts), "draft": role(MODEL, starts=starts)}
    for each in roles.values():
        each.engine.engine.codec = engine.codec  # type: ignore[attr-defined]
    codec: Any = engine.codec
    cell = replace(checked.cell, verifier=LastToken(), roles=roles)
    known = {name: CheckedRole(codec, CONFIG) for name in roles}
    [[_, found]] = (await run_sweep([replace(checked, cell=cell, roles=known)], say=lambda _: None)).summaries
    summary = plain(found)

    directory = RunDirectory(tmp_path)
    calls = directory.calls(directory.outcomes())
    mine = {name: [call for call in calls if call.role == name] for name in ("policy", "verifier", "draft")}
    assert {name: len(of) for name, of in mine.items()} == {"policy": 4, "verifier": 2, "draft": 2}
    assert [(c.num_prompt_tokens, c.num_cached_tokens, c.num_generated_tokens) for c in mine["verifier"]] == [
        (5, 1, 0)
    ] * 2
    assert summary["tokens"]["verifier"] == 2 * 5
    assert summary["tokens"]["draft"] == 2 * (4 + 5)
    assert summary["tokens"]["generated"] == 4 * 5 + 2 * 5
    by_role = summary["tokens"]["by_role"]
    assert {role: tokens["generated"] for role, tokens in by_role.items()} == {
        "policy": 4 * 5,
        "verifier": 0,
        "draft": 2 * 5,
    }
    for kind in ("prompt", "cached", "generated", "thinking"):
        assert sum(tokens[kind] for tokens in by_role.values()) == summary["tokens"][kind]
    assert sum(summary["usd_by_role"].values()) == pytest.approx(summary["usd_total"])
    assert set(summary["usd_by_role"]) == {"policy", "verifier", "draft"}
    assert summary["num_gpus"] == 3
    assert summary["startup_s"] == 1.5  # three engines, half a second each
    assert summary["usd_total"] == pytest.approx(3 * summary["held_s"] * 0.001)
    flops = call_flops(
        read_architecture(CONFIG), num_prompt_tokens=5, num_cached_tokens=1, num_generated_tokens=0
    )
    assert summary["flops_per_problem"]["verifier"] == flops
    assert summary["flops_per_problem"]["policy"] is None  # nobody knows the scripted model's sizes
    [start] = directory.manifest().sessions
    assert {name: facts.model for name, facts in start.roles.items()} == {
        "verifier": "prm",
        "draft": "scripted",
    }
    assert starts == ["started", "started", "stopped", "stopped"]
    assert [o.attempt.candidates[0].step_scores for o in directory.outcomes() if o.attempt] == [(1.0,)] * 2


async def test_a_role_that_nobody_configured_is_told_to_the_strategy(tmp_path: Path) -> None:
    checked, _ = sums_cell(tmp_path, strategy=TwoTracesAndADraft(), num_problems=1)
    cell = replace(checked.cell, verifier=LastToken())
    await run_sweep([replace(checked, cell=cell)], say=lambda _: None)
    [outcome] = RunDirectory(tmp_path).outcomes()

    assert outcome.error is not None
    assert outcome.error.startswith("ValueError at ")
    assert outcome.error.endswith(": no model is configured for role 'draft'; there are: policy")


async def test_a_cascade_that_its_cheap_role_settles_has_tokens_and_times(tmp_path: Path) -> None:
    """The policy is never asked: all that was generated, and the first token, are the cheap role's."""
    cascade = Cascade(Cot(), Cot(), escalate_on="difficulty", difficulty=Easy(), cheap_role="cheap")
    engine = Timed({}, codec=WordCodec())
    checked, policy = sums_cell(tmp_path, strategy=cascade, num_problems=2)
    engine.codec = policy.codec
    roles = {"cheap": Role(MODEL, CalculatorSettings(engine))}
    codec: Any = engine.codec
    cell = replace(checked.cell, roles=roles)
    [[_, found]] = (
        await run_sweep(
            [replace(checked, cell=cell, roles={"cheap": CheckedRole(codec, CONFIG)})], say=lambda _: None
        )
    ).summaries
    summary = plain(found)

    assert summary["tokens"]["generated"] == 2 * 5
    assert set(summary["tokens"]["by_role"]) == {"cheap"}
    assert summary["generated_tokens_per_s"] > 0
    assert 0 < summary["usd_per_generated_token"] < 1
    assert summary["ttft_s"] is not None
    assert summary["queue_s"] is not None
    assert summary["flops_per_problem_by_role"] == {"cheap": summary["flops_per_problem"]["total"]}


class Easy:
    """Finds every problem easy."""

    def of(self, problem: Problem) -> float:
        return 0.0


class Timed(Calculator):
    """Keeps the times of its samples, as a real engine does."""

    async def generate(self, request: Any) -> Any:
        completion = await super().generate(request)
        return replace(completion, timing=Timing(first_token_s=0.001, queue_s=0.0005, decode_s=0.001))
