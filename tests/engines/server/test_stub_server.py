"""The client side of `engine=server`, held against a scripted server: retries, balance, aborts, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

pytest.importorskip("tenacity")

from tests.engines.server.stub import FaultProxy, StubServer, free_port, serving
from tts_eval.engines.server.faults import Rejected
from tts_eval.engines.server.metrics import added, gauges_of
from tts_eval.engines.server.replicas import Replica, Replicas
from tts_eval.engines.server.server_engine import ServerEngine
from tts_eval.model import Model
from tts_eval.records import Finish, Sampling
from tts_eval.requests import EngineDied
from tts_eval.requests import Request as Sample

MODEL = Model(name="stub", path="nowhere", max_model_len=500)
SAMPLE = Sample((5, 6, 7), Sampling(), max_tokens=4)


@asynccontextmanager
async def started(*stubs: StubServer, **settings: Any) -> AsyncIterator[Any]:
    """Start an engine on `stubs`; the probes are synchronous, so they run beside the stub's event loop."""
    async with serving(stubs[0].app) as first, serving(stubs[-1].app) as last:
        urls = [first] if len(stubs) == 1 else [first, last]
        engine = ServerEngine(urls=urls, **{"retry_for_s": 20.0, **settings})
        await asyncio.to_thread(engine.check, MODEL)
        async with engine.start(MODEL) as running:
            yield running


def answering(*spoilt: Response | int | None) -> Callable[[int], Response | int | None]:
    """Spoil the first requests in this order, and none after them."""
    return lambda number: spoilt[number - 1] if number <= len(spoilt) else None


async def test_a_sample_comes_back_as_token_ids() -> None:
    stub = StubServer()
    async with started(stub) as engine:
        drawn = await engine.generate(replace(SAMPLE, sampling=Sampling(0.7, 0.9, 5), seed=3, stop=("\n",)))

    assert drawn.token_ids == (8, 9, 10, 11)
    assert drawn.text == " 8 9 10 11"
    assert drawn.finish is Finish.LENGTH
    assert drawn.failed == ()
    assert len(drawn.timing.token_times_s) == 4
    assert 0 < drawn.timing.first_byte_s <= drawn.timing.first_token_s
    [body] = stub.bodies
    assert body["prompt"] == [5, 6, 7]
    assert (body["temperature"], body["top_p"], body["top_k"], body["seed"]) == (0.7, 0.9, 5, 3)
    assert body["stop"] == ["\n"]


async def test_what_a_server_can_do_is_found_out() -> None:
    async with started(StubServer()) as engine:
        [probed] = engine.facts.settings["servers"]

    assert probed["served_model"] == "stub"
    assert (probed["takes_ids"], probed["returns_ids"], probed["gauges"]) == (True, True, True)
    assert (probed["accepts_priorities"], probed["reads"], probed["counts_cached_tokens"]) == (
        False,
        False,
        False,
    )
    assert probed["max_num_logprobs"] is None
    assert engine.facts.max_model_len == 500


@pytest.mark.parametrize(
    ("spoilt", "reason", "num_lost"),
    [
        (JSONResponse({"error": {"message": "slow down"}}, 429, {"retry-after": "0.05"}), "429", 0),
        (JSONResponse({"error": {"message": "boom"}}, 500), "500", 0),
        (2, "the stream ended early", 2),
        (Response("data: {garbage\n\n", media_type="text/event-stream"), "garbage", 0),
        (Response('data: {"error": {"message": "lost", "code": 500}}\n\n'), "error in the stream: lost", 0),
    ],
    ids=["429", "500", "torn", "garbage", "an error in the stream"],
)
async def test_a_fault_is_tried_again_and_recorded(
    spoilt: Response | int, reason: str, num_lost: int
) -> None:
    stub = StubServer(spoil=answering(spoilt))
    async with started(stub) as engine:
        drawn = await engine.generate(SAMPLE)
        [replica] = engine._replicas.replicas

    assert drawn.token_ids == (8, 9, 10, 11)
    [failed] = drawn.failed
    assert (failed.reason, failed.num_tokens) == (reason, num_lost)
    assert failed.waited_s >= (0.05 if reason == "429" else 0)
    assert drawn.timing.first_token_s >= failed.lasted_s + failed.waited_s
    assert stub.counts["asked"] == 2
    assert (replica.num_calls, replica.num_faults, replica.outstanding_tokens) == (1, 1, 0)


async def test_a_server_that_stalls_is_given_up_and_asked_again() -> None:
    stub = StubServer(gap_s=5.0)
    stub.spoil = lambda number: setattr(stub, "gap_s", 5.0 if number == 1 else 0.0)
    async with started(stub, stall_s=0.3) as engine:
        drawn = await engine.generate(SAMPLE)

    assert [failed.reason for failed in drawn.failed] == ["stall"]
    assert drawn.token_ids == (8, 9, 10, 11)


def later(told: str) -> JSONResponse:
    return JSONResponse({"error": {"message": "slow down"}}, 429, {"retry-after": told})


async def test_retry_after_may_be_a_date() -> None:
    in_two_seconds = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    async with started(StubServer(spoil=answering(later(in_two_seconds)))) as engine:
        [failed] = (await engine.generate(SAMPLE)).failed

    assert failed.waited_s >= 0.5  # a date has whole seconds


async def test_a_server_that_asks_for_longer_than_is_waited_ends_the_run_at_once() -> None:
    async with started(StubServer(spoil=lambda number: later("86400"))) as engine:
        with pytest.raises(EngineDied, match=r"1 attempts at one request failed; the last: 429"):
            await asyncio.wait_for(engine.generate(SAMPLE), 10)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_ends_the_run_in_the_servers_words(status: int) -> None:
    spoilt = JSONResponse({"error": {"message": "this model's\nmaximum length is 8"}}, status)
    stub = StubServer(spoil=lambda number: spoilt)
    async with started(stub) as engine:
        with pytest.raises(Rejected, match=rf"answered {status}: this model's maximum length is 8$"):
            await engine.generate(SAMPLE)

    assert stub.counts["asked"] == 1


async def test_a_server_that_is_gone_ends_the_run() -> None:
    async with started(StubServer(spoil=lambda number: JSONResponse({}, 503)), retry_for_s=0.3) as engine:
        with pytest.raises(EngineDied, match=r"attempts at one request failed; the last: 503"):
            await engine.generate(SAMPLE)


async def test_an_abort_stops_the_server_and_keeps_what_has_come() -> None:
    stub = StubServer(gap_s=0.02)
    async with started(stub) as engine:
        stream = engine.stream(replace(SAMPLE, max_tokens=400), every=3)
        async for look in stream:
            assert len(look.token_ids) >= 3
            break
        closed = await stream.close()
        await asyncio.sleep(0.2)
        num_tokens = stub.num_tokens
        await asyncio.sleep(0.2)

        assert closed.finish is Finish.ABORT
        assert closed.token_ids == tuple(range(8, 8 + len(closed.token_ids)))
        assert stub.num_tokens == num_tokens < 400
        assert engine._replicas.replicas[0].outstanding_tokens == 0


async def test_a_stream_torn_after_a_look_goes_on_where_the_same_is_drawn_again() -> None:
    async with started(StubServer(spoil=answering(3))) as engine:
        looks = [len(look.token_ids) async for look in engine.stream(replace(SAMPLE, max_tokens=6), every=1)]

    assert looks == sorted(looks)
    assert looks[-1] == 6


@pytest.mark.slow
async def test_every_sample_comes_through_a_proxy_that_spoils_seven_in_ten() -> None:
    stub = StubServer()
    async with serving(stub.app) as behind:
        proxy = FaultProxy(behind, share=0.1, stall_s=6.0)
        async with serving(proxy) as url:
            settings = ServerEngine(urls=[url], stall_s=3.0, retry_for_s=900.0)
            await asyncio.to_thread(settings.check, MODEL)
            async with settings.start(MODEL) as engine:
                requests = [replace(SAMPLE, prompt_ids=(number,)) for number in range(20)]
                drawn = await asyncio.gather(*map(engine.generate, requests))

    assert [d.token_ids for d in drawn] == [tuple(range(n + 1, n + 5)) for n in range(20)]
    assert all(d.finish is Finish.LENGTH for d in drawn)
    assert sum(len(d.failed) for d in drawn) >= proxy.faults.total() > 20  # a busy machine stalls by itself
    assert set(proxy.faults) == set(FaultProxy.KINDS)
    received = sum(len(d.token_ids) + sum(f.num_tokens for f in d.failed) for d in drawn)
    assert 80 <= received <= stub.num_tokens


async def test_requests_are_balanced_and_a_dead_replica_is_left_out() -> None:
    one, other = StubServer(gap_s=0.001), StubServer(gap_s=0.001)
    async with started(one, other) as engine:
        requests = [replace(SAMPLE, prompt_ids=(number,)) for number in range(40)]
        drawn = await asyncio.gather(*map(engine.generate, requests))
        shares = [replica.num_calls for replica in engine._replicas.replicas]
        one.spoil = lambda number: JSONResponse({}, 503)
        later = await asyncio.gather(*map(engine.generate, requests))
        asked_of_the_dead = one.counts["asked"] - shares[0]

    assert shares == [20, 20]
    assert [d.token_ids[0] for d in drawn] == [d.token_ids[0] for d in later] == list(range(1, 41))
    assert asked_of_the_dead <= 25  # those in flight at once, and then next to none
    assert {d.url for d in later} == {engine._replicas.replicas[1].url}


async def test_branches_of_a_problem_go_where_their_prefix_is() -> None:
    client: Any = object()
    replicas = Replicas([Replica(client), Replica(client)])
    trunk = tuple(range(64))

    async def asked(ids: tuple[int, ...], num_tokens: int = 10) -> Replica:
        async with replicas.leased(ids, num_tokens) as replica:
            replica.num_calls += 1
            return replica

    first = await asked(trunk)
    other = await asked(tuple(range(100, 164)))
    assert other is not first
    assert {id(await asked((*trunk, *range(n, n + 40)))) for n in range(10)} == {id(first)}
    first.outstanding_tokens = 10_000  # its cache is not worth such a queue
    assert await asked((*trunk, 1)) is other


def test_gauges_of_vllm_and_sglang_have_one_name() -> None:
    page = """# HELP vllm:kv_cache_usage_perc KV-cache usage.
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:generation_tokens_total{engine="0",model_name="m"} 12.0
vllm:generation_tokens_total{engine="1",model_name="m"} 1.0e+02
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",position="0"} 7.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",position="1"} 4.0
"""
    gauges = gauges_of(page)
    assert (gauges.kv_cache_usage, gauges.num_running, gauges.num_generated_tokens) == (0.5, 3, 112)
    assert gauges.num_accepted_tokens_at == (7, 4)
    theirs = gauges_of('sglang:token_usage{model="m"} 0.75\nsglang:generation_tokens_total 5\n')
    assert (theirs.kv_cache_usage, theirs.num_generated_tokens) == (0.75, 5)
    assert added([gauges, theirs]).num_generated_tokens == 117
    assert added([gauges, theirs]).kv_cache_usage == 0.75


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "engine.urls must be given"),
        (
            {"urls": ["localhost:8000"]},
            "must hold base URLs such as http://127.0.0.1:8000/v1, not 'localhost",
        ),
        ({"urls": ["http://me:secret@host/v1"]}, "must not hold a key: give engine.api_key_env=NAME"),
        ({"urls": ["http://a/v1", "http://a/v1/"]}, "holds one server twice"),
    ],
)
def test_wrong_settings_are_one_line(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says.replace(".", r"\.")) as raised:
        ServerEngine(**settings)
    assert "secret" not in str(raised.value)


def test_no_server_and_no_key_are_one_line() -> None:
    with pytest.raises(ValueError, match=r"does not answer \(ConnectError\); start the server first$"):
        ServerEngine(urls=[f"http://127.0.0.1:{free_port()}/v1"]).check(MODEL)
    with pytest.raises(ValueError, match=r"^engine\.api_key_env=NO_SUCH_KEY: no such environment variable"):
        ServerEngine(urls=["http://127.0.0.1:1/v1"], api_key_env="NO_SUCH_KEY").check(MODEL)


async def test_a_key_goes_to_the_server_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = "planted-4711"
    monkeypatch.setenv("PLANTED_KEY", secret)
    monkeypatch.setenv("OPENAI_API_KEY", "somebody-elses")
    stub = StubServer(key=secret)
    async with serving(stub.app) as url:
        refused = ServerEngine(urls=[url])
        with pytest.raises(ValueError, match=r"/models answered 401: .*no such key") as raised:
            await asyncio.to_thread(refused.check, MODEL)
        settings = ServerEngine(urls=[url], api_key_env="PLANTED_KEY")
        await asyncio.to_thread(settings.check, MODEL)
        async with settings.start(MODEL) as engine:
            drawn = await engine.generate(SAMPLE)
            said = f"{settings!r} {engine.facts!r} {drawn!r} {raised.value}"

    assert secret not in said
    assert "somebody-elses" not in said
