"""Reward models shorter than a thinking trace read its answer, and of what is longer still its end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from strategies.best_of_n import BestOfN
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.metered_verifier import metered_verifier
from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.protocols import Verifier
from tts_eval.records import Problem
from tts_eval.requests import EngineFacts, Pooled, PoolingRequest
from verifiers.outcome_reward import OutcomeReward
from verifiers.rlhflow_prm import RlhflowPrm
from verifiers.separator_prm import SeparatorPrm
from verifiers.skywork_prm import SkyworkPrm
from verifiers.yes_no import YesNo

PROBLEM = Problem("p", "What is 6 x 7?", "42")
LENGTH = 4096


@dataclass
class Reader(ScriptedEngine):
    """A reward model of 4,096 tokens that likes what it has read of 42, and dislikes all else with a box."""

    num_labels: int = 1
    read: list[str] = field(default_factory=list)

    @property
    def facts(self) -> EngineFacts:
        return replace(super().facts, max_model_len=LENGTH)

    async def pool(self, request: PoolingRequest) -> Pooled:
        assert len(request.token_ids) <= LENGTH
        self.read.append(self.codec.decode(request.token_ids))
        rows, logit = [], 0.0
        for token_id in request.token_ids:
            word = self.codec.decode([token_id])
            logit += 3.0 * ("{42}" in word) - 3.0 * ("{41}" in word) - 2.0 * ("wrong" in word)
            rows.append((logit,) if self.num_labels == 1 else (0.0, logit))
        return Pooled(tuple(rows))


def handle(policy: ScriptedEngine, num_labels: int) -> tuple[MeteredModel, Reader]:
    reader = Reader({}, codec=policy.codec, max_model_len=LENGTH, num_labels=num_labels)
    llm = metered(policy)
    role = Served(llm.served.model, policy.codec, reader)  # type: ignore[arg-type]
    return replace(llm, roles={**llm.roles, "verifier": role}), reader


def thinking(answer: int, *, num_thoughts: int = 6000) -> str:
    thought = " hm" * 40 + "\n\n"
    written = "So it is.\n\n" + "thus " * 500 + f"\n\n\\boxed{{{answer}}}"
    return thought * (num_thoughts // 40) + f" hm </think>\n\n{written}"


@pytest.mark.parametrize(
    ("verifier", "num_labels"),
    [
        (SeparatorPrm(separator=" <extra_0>"), 2),
        (SkyworkPrm(bos="<bos> ", step_tag=" <tag>"), 1),
        (OutcomeReward(ending=" <end>"), 1),
        (OutcomeReward(), 1),
        (YesNo(), 2),
    ],
)
async def test_best_of_n_on_a_thinking_model_reads_the_answers(verifier: Verifier, num_labels: int) -> None:
    """Three traces of 6,500 tokens; the last one is right, which only who reads its answer can tell."""
    policy = ScriptedEngine({"": [thinking(n) for n in (41, 40, 42)]}, max_model_len=32768)
    llm, reader = handle(policy, num_labels)
    async with metered_verifier(verifier, llm) as scoring:
        attempt = await BestOfN(n=3, temperature=1.0, aggregation="last").solve(PROBLEM, llm, scoring)
    scores = [candidate.score for candidate in attempt.candidates]
    assert len(set(scores)) == 3
    assert all("hm" not in text and "So it is." in text for text in reader.read)
    if not isinstance(verifier, YesNo):  # of its labels yes comes first
        assert attempt.answer == "42"
    assert llm.meter.spend().num_unread_steps == 0


@pytest.mark.parametrize(
    ("verifier", "num_labels"),
    [
        (SeparatorPrm(separator=" <extra_0>", reads="all"), 2),
        (
            RlhflowPrm(
                opening="<s> ", user_header=" <u> ", assistant_header=" <a> ", end_of_turn=" <e>", reads="all"
            ),
            2,
        ),
        (OutcomeReward(ending=" <end>", reads="all"), 1),
        (YesNo(reads="all"), 2),
    ],
)
async def test_all_of_a_longer_trace_is_cut_at_its_front(verifier: Verifier, num_labels: int) -> None:
    llm, reader = handle(ScriptedEngine({}, max_model_len=32768), num_labels)
    right, wrong = [llm.start(PROBLEM) + thinking(answer) for answer in (42, 41)]
    async with metered_verifier(verifier, llm) as scoring:
        assert scoring is not None
        first, second = await scoring.score(PROBLEM, [right, wrong])
    assert first[-1] != second[-1]
    assert all("boxed" in text and " hm" in text for text in reader.read)
    if len(first) > 1:
        num_unread = llm.meter.spend().num_unread_steps
        assert 0 < num_unread < 2 * len(first)
        assert len(first) == 150 + 4


async def test_a_growing_trace_reads_on_where_it_has_read_and_leaves_nothing_out() -> None:
    """The window moves by half a length at a time, so that most calls share their beginning."""
    llm, reader = handle(ScriptedEngine({}, max_model_len=32768), 2)
    trace = llm.start(PROBLEM)
    async with metered_verifier(SeparatorPrm(separator=" <extra_0>", reads="all"), llm) as scoring:
        assert scoring is not None
        for number in range(60):
            trace += f" step{number}" + " so" * 200 + "\n\n"
            [scores] = await scoring.score(PROBLEM, [trace])
    assert len(scores) == 60
    assert llm.meter.spend().num_unread_steps == 0
    beginnings = [text[:40] for text in reader.read]
    assert len(set(beginnings)) < 8
    assert all(f" step{number}" in text for number, text in enumerate(reader.read))


async def test_while_it_thinks_a_search_is_guided_by_the_thinking() -> None:
    llm, reader = handle(ScriptedEngine({}, max_model_len=32768), 2)
    async with metered_verifier(SeparatorPrm(separator=" <extra_0>"), llm) as scoring:
        assert scoring is not None
        [scores] = await scoring.score(PROBLEM, [llm.start(PROBLEM) + " hm\n\n wrong\n\n"])
        [after] = await scoring.score(
            PROBLEM, [llm.start(PROBLEM) + " hm\n\n wrong\n\n </think>So\n\n\\boxed{42}"]
        )
    assert len(scores) == 2
    assert scores[0] > scores[1]
    assert len(after) == 2
    assert "wrong" not in reader.read[-1]


async def test_a_single_step_longer_than_the_model_is_read_from_its_end() -> None:
    llm, reader = handle(ScriptedEngine({}, max_model_len=32768), 2)
    text = " first" + " so" * 9000 + " wrong"
    async with metered_verifier(SeparatorPrm(separator=" <extra_0>"), llm) as scoring:
        assert scoring is not None
        [scores] = await scoring.score(PROBLEM, [llm.start(PROBLEM) + text])
    assert len(scores) == 1
    assert scores[0] < 0.5
    assert "first" not in reader.read[-1]
