"""A server of text alone: what runs on it, what is rejected, and how its tokens are counted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("tenacity")

from tests.engines.server.stub import ChatStub, serving
from tts_eval.engines.server.chat_codec import ChatCodec, TextOnly
from tts_eval.engines.server.server_engine import ServerEngine
from tts_eval.model import Model
from tts_eval.records import Finish, Sampling, Trace
from tts_eval.requests import Request as Sample

MODEL = Model(name="talker", path="nowhere", instruction="Box it.", system_prompt="Be brief.")
CODEC = ChatCodec(MODEL)


def test_ids_say_again_what_they_were_made_of() -> None:
    prompt = CODEC.prompt("What is 2 + 2?", turns=("4", "Are you sure?"))
    messages, begun, thinks = CODEC.messages((*prompt, *CODEC.encode("Yes,")))

    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert [message["content"] for message in messages[1:3]] == ["What is 2 + 2?\nBox it.", "4"]
    assert (begun, thinks) == ("Yes,", True)
    assert prompt == ChatCodec(MODEL).prompt("What is 2 + 2?", turns=("4", "Are you sure?"))
    assert prompt != CODEC.prompt("What is 2 + 3?", turns=("4", "Are you sure?"))
    with pytest.raises(TextOnly, match="cannot be cut within"):
        CODEC.messages(prompt[:3])
    with pytest.raises(TextOnly, match=r"cannot be switched off: give model\.no_thinking_kwargs"):
        CODEC.prompt("What is 2 + 2?", thinking=False)


async def test_a_sample_has_the_tokens_that_the_server_counted() -> None:
    stub = ChatStub(reasoning="2 + 2")
    async with serving(stub.app) as url:
        settings = ServerEngine(urls=[url], max_model_len=1000)
        await asyncio.to_thread(settings.check, MODEL)
        async with settings.start(MODEL) as engine:
            prompt = CODEC.prompt("What is 2 + 2?")
            drawn = await engine.generate(Sample(prompt, Sampling(0.6, 0.95), max_tokens=50, seed=2**40 + 1))

    trace = Trace(prompt, CODEC, drawn.token_ids, drawn.text, drawn.finish)
    assert drawn.text == "<think>2 + 2</think>so \\boxed{4}"
    assert (len(drawn.token_ids), drawn.num_prompt_tokens, drawn.num_cached_tokens) == (7, 11, 5)
    assert drawn.finish is Finish.END
    assert (trace.answer_start, trace.said) == (3, "so \\boxed{4}")
    [body] = stub.bodies
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert (body["max_tokens"], body["temperature"], body["top_p"], body["seed"]) == (50, 0.6, 0.95, 1)


async def test_a_server_that_counts_nothing_is_refused() -> None:
    async with serving(ChatStub(has_usage=False).app) as url:
        settings = ServerEngine(urls=[url], max_model_len=1000)
        with pytest.raises(ValueError, match=r"does not count the tokens of its answers \(usage\)$"):
            await asyncio.to_thread(settings.check, MODEL)


async def test_a_length_that_nobody_states_is_asked_for() -> None:
    async with serving(ChatStub().app) as url:
        settings = ServerEngine(urls=[url])
        with pytest.raises(ValueError, match=r"does not state its length: give engine\.max_model_len"):
            await asyncio.to_thread(settings.check, MODEL)


RUNS = "runs"
NO_PARTS = "it continues a trace, and this server does not continue a partial message"
WATCHED = "it watches a sample grow, and this server gives no token ids to count"
STOPPED = "it stops samples at strings, and this server does not keep them"
LOGPROBS = "it reads log-probabilities, and this server gives none with its text"
STRATEGIES = {
    "cot": RUNS,
    "majority_vote": RUNS,
    "adaptive_vote": RUNS,
    "best_of_n": RUNS,
    "weighted_vote": RUNS,
    "self_refine": RUNS,
    "self_aggregation": RUNS,
    "cascade": RUNS,
    "trace_cache": RUNS,
    "doubling": NO_PARTS,
    "budgeted_cot": STOPPED,
    "early_exit": WATCHED,
    "beam_search": STOPPED,
    "dvts": STOPPED,
    "rebase": STOPPED,
    "particle_filter": STOPPED,
    "mcts": STOPPED,
    "deepconf_offline": LOGPROBS,
    "deepconf_online": LOGPROBS,
}


async def test_what_runs_on_a_server_of_text_alone_is_what_the_docs_say(tmp_path: Path) -> None:
    from hydra import compose, initialize_config_dir

    from tests.running.cells import sums_cell
    from tts_eval.command.compose import part_of
    from tts_eval.engines.protocol import Engine
    from tts_eval.running.rehearsal import rehearse_text

    root = Path(__file__).resolve().parents[3]
    found = dict[str, str]()
    async with serving(ChatStub().app) as url:
        settings = ServerEngine(urls=[url], max_model_len=1000)
        await asyncio.to_thread(settings.check, MODEL)
        rehearsal: Engine | None = settings.rehearsal(MODEL)
    assert rehearsal is not None
    with initialize_config_dir(str(root / "conf"), version_base="1.3"):
        for name in STRATEGIES:
            strategy = part_of(compose("config", [f"strategy={name}"]), "strategy")
            checked, _ = sums_cell(tmp_path / name, strategy=strategy)
            cell = checked.cell
            object.__setattr__(cell, "labels", {**cell.labels, "strategy": name})
            object.__setattr__(cell, "model", CODEC.model)
            object.__setattr__(cell, "verifier", object())
            object.__setattr__(checked, "codec", CODEC)
            try:
                await asyncio.to_thread(rehearse_text, checked, rehearsal)
                found[name] = RUNS
            except ValueError as refused:
                found[name] = str(refused).removeprefix(f"strategy {name} does not run on this server: ")

    assert found == STRATEGIES
    page = (root / "docs" / "servers.md").read_text(encoding="utf-8")
    for name, says in found.items():
        assert f"| `{name}` | {says} |" in page
