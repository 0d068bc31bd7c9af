"""A run small enough for paper, with every dollar of it worked out by hand.

Two problems at $3.60 a GPU-hour, that is $0.001 a GPU-second, on one GPU for the policy and one for the
verifier. `a`: the policy generates 40 tokens from 0 s to 4 s, the verifier reads 140 from 4 s to 5 s. `b`:
the policy generates 60 tokens from 2 s to 6 s, 64 of its 100 prompt tokens found in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.summary.outcomes import call, outcome
from tts_eval.hardware import ApiPrice, Hardware
from tts_eval.rundir.manifest import LoadFacts
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.schema import plain
from tts_eval.spend import Call
from tts_eval.summary.by_role import role_figures
from tts_eval.summary.cost_figures import cost_figures
from tts_eval.summary.sessions import Held, Session
from tts_eval.summary.throughput import held_by_session, held_weights


def priced(usd: float, *, low: float, high: float) -> Hardware:
    return Hardware("paper", list_usd_per_gpu_hour=usd, usd_per_gpu_hour_low=low, usd_per_gpu_hour_high=high)


CALLS = [
    call("a", "policy", 0.0, 4.0, prompt=100, generated=40),
    call("a", "verifier", 4.0, 5.0, prompt=140, generated=0),
    call("b", "policy", 2.0, 6.0, prompt=100, generated=60, num_cached_tokens=64),
]
TWO_GPUS = [Held(["policy"], 1), Held(["verifier"], 1)]
BATCH = LoadFacts(is_open=True, is_steady=False, in_flight=None)
PRICED = priced(3.6, low=1.8, high=7.2)
UNPRICED = Hardware("paper")


def api_price(*, prompt: float, cached: float, generated: float) -> ApiPrice:
    return ApiPrice(prompt, cached, generated, source="paper", as_of="2026-01-01")


API_PRICES = {
    "policy": api_price(prompt=1.0, cached=0.1, generated=10.0),
    "verifier": api_price(prompt=0.5, cached=0.5, generated=0.0),
}


def session(outcomes: Sequence[Outcome], calls: Sequence[Call], **changed: Any) -> Session:
    given: dict[str, Any] = {
        "number": 0,
        "held_s": 4.0,
        "holdings": TWO_GPUS[:1],
        "hardware": PRICED,
        "engine": None,
        "api_prices": {},
    }
    return Session(outcomes=outcomes, calls=calls, **given | changed)


def figures(*, correct: str = "a", load: LoadFacts = BATCH, **changed: Any) -> Any:
    outcomes = [outcome(name, CALLS, is_correct=name in correct) for name in "ab"]
    given = {"held_s": 6.0, "holdings": TWO_GPUS, "api_prices": API_PRICES}
    return plain(cost_figures([session(outcomes, CALLS, **given | changed)], load=load))


def test_an_idle_verifier_is_paid_for() -> None:
    """Two GPUs for six seconds; the verifier worked for one of them."""
    found = figures()

    assert found["num_gpus"] == 2
    assert found["usd_total"] == pytest.approx(0.012)
    assert found["usd_per_generated_token"] == pytest.approx(0.012 / 100)
    assert found["usd_per_problem"] == pytest.approx(0.006)
    assert found["usd_per_correct"] == pytest.approx(0.012)


def test_busy_seconds_are_shared_by_who_runs() -> None:
    """The policy: 2 s of `a` alone, 2 s of both, 2 s of `b` alone; the verifier one second of `a`."""
    busy = figures()["cost_busy"]

    assert busy["usd_total"] == pytest.approx(0.007)
    assert busy["usd_per_correct"] == pytest.approx(0.007)


def test_a_verifier_on_the_policys_gpu_costs_no_second_one() -> None:
    """There is always something to do on the one GPU, for six seconds."""
    found = figures(holdings=[Held(["policy", "verifier"], 1)])

    assert found["usd_total"] == pytest.approx(0.006)
    assert found["cost_busy"]["usd_total"] == pytest.approx(0.006)


def test_the_sessions_of_a_resumed_run_have_clocks_machines_and_prices_of_their_own() -> None:
    """Two seconds of `a` at $3.60; after a kill two others of `b`, on four GPUs at $7.20."""
    calls = [call(name, "policy", 0.0, 2.0, prompt=10, generated=10) for name in "ab"]
    dear = priced(7.2, low=3.6, high=7.2)
    first = session(
        [outcome("a", calls[:1], is_correct=True, session=0)],
        calls[:1],
        held_s=2.0,
        api_prices={"policy": api_price(prompt=1.0, cached=0.1, generated=1.0)},
    )
    second = session(
        [outcome("b", calls[1:], is_correct=True, session=1)],
        calls[1:],
        number=1,
        held_s=2.0,
        hardware=dear,
        holdings=[Held(["policy"], 4)],
        api_prices={"policy": api_price(prompt=2.0, cached=0.1, generated=2.0)},
    )
    found = plain(cost_figures([first, second], load=BATCH))

    assert found["usd_total"] == pytest.approx(0.002 + 0.016)
    assert found["cost_busy"]["usd_total"] == pytest.approx(0.018)
    assert found["cost_api"]["usd_total"] == pytest.approx(60e-6)
    assert found["price_band"]["usd_per_problem"] == [pytest.approx(0.0045), pytest.approx(0.010)]
    assert found["price_band"]["usd_per_gpu_hour"] is found["usd_per_gpu_hour"] is found["num_gpus"] is None
    by_role = plain(role_figures([first, second], joules={0: 1.0, 1: 2.0}))
    assert by_role == {"usd_by_role": {"policy": pytest.approx(0.018)}, "joules_by_role": {"policy": 3.0}}

    unknown = replace(second, hardware=UNPRICED, api_prices={"policy": None})
    found = plain(cost_figures([first, unknown], load=BATCH))
    assert found["usd_total"] is found["cost_busy"] is found["price_band"] is found["cost_api"] is None
    assert plain(role_figures([first, unknown], joules=None)) == {"usd_by_role": None, "joules_by_role": None}


def test_waiting_in_the_queue_is_no_work() -> None:
    late = call("a", "policy", 0.0, 4.0, prompt=100, generated=40, queue_s=3.0)
    found = plain(cost_figures([session([outcome("a", [late], is_correct=True)], [late])], load=BATCH))

    assert found["cost_busy"]["usd_total"] == pytest.approx(0.001)
    assert found["usd_total"] == pytest.approx(0.004)


def test_an_api_charges_less_for_what_it_has_cached() -> None:
    """`a`: 100 + 400 microdollars and 70 for the verifier; `b`: 36 + 6.4 + 600."""
    api = figures()["cost_api"]

    assert api["usd_total"] == pytest.approx(1212.4e-6)
    assert api["usd_per_generated_token"] == pytest.approx(12.124e-6)
    assert api["usd_per_correct"] == pytest.approx(1212.4e-6)


def test_a_role_without_a_list_price_leaves_the_api_cost_unknown() -> None:
    assert figures(api_prices={**API_PRICES, "verifier": None})["cost_api"] is None


def test_nothing_correct_is_infinitely_dear_in_every_mode() -> None:
    found = figures(correct="")

    assert found["usd_per_correct"] == "inf"
    assert found["cost_busy"]["usd_per_correct"] == found["cost_api"]["usd_per_correct"] == "inf"
    assert found["usd_per_correct_ci95"] == ["inf", "inf"]
    assert found["price_band"]["usd_per_correct"] == ["inf", "inf"]


def test_a_band_of_prices_is_a_band_of_costs() -> None:
    band = figures()["price_band"]

    assert band["usd_per_gpu_hour"] == pytest.approx([1.8, 7.2])
    assert band["usd_per_correct"] == [pytest.approx(0.006), pytest.approx(0.024)]
    assert band["usd_per_problem"] == [pytest.approx(0.003), pytest.approx(0.012)]
    assert band["usd_per_generated_token"] == [pytest.approx(0.00006), pytest.approx(0.00024)]


def test_without_a_price_there_are_no_dollars() -> None:
    found = figures(hardware=UNPRICED)

    assert found["usd_total"] is found["usd_per_correct"] is found["cost_busy"] is found["price_band"] is None
    assert found["num_gpus"] == 2


def test_in_a_closed_loop_a_problem_pays_for_its_time_in_flight() -> None:
    """Two users: `a` is in flight for 5 s, `b` for 4, and each shares two GPUs with one other problem."""
    outcomes = [outcome(name, CALLS, is_correct=True) for name in "ab"]
    load = LoadFacts(is_open=False, is_steady=True, in_flight=2)
    [held_s] = held_by_session(outcomes, load, is_saturated=None).values()

    assert held_s == pytest.approx(4.5)
    assert held_weights(load, tta_s=[5.0, 4.0], calls_s=[1.0, 1.0]) == [5.0, 4.0]
    assert figures(held_s=held_s, load=load)["usd_total"] == pytest.approx(0.009)


def test_fill_pays_for_its_part_of_the_busy_time() -> None:
    """From 0 to 4 s a fill call runs beside `a`, from 2 to 4 s beside both."""
    mine = [
        call(name, "policy", *times, prompt=9, generated=9)
        for name, times in (("a", (0.0, 4.0)), ("b", (2.0, 4.0)))
    ]
    beside = [call("a#fill-0", "policy", 0.0, 4.0, prompt=9, generated=9)]
    outcomes = [outcome(name, mine, is_correct=True) for name in "ab"]
    found = plain(cost_figures([session(outcomes, mine, fill_calls=beside)], load=BATCH))

    assert found["cost_busy"]["usd_total"] == pytest.approx(0.001 * (1 + 2 * 2 / 3))


def test_a_call_of_a_data_parallel_engine_is_charged_one_replica() -> None:
    alone = [call("a", "policy", 0.0, 4.0, prompt=9, generated=9)]
    eight = [Held(["policy"], 8, num_replicas=4)]
    outcomes = [outcome("a", alone, is_correct=True)]
    found = plain(cost_figures([session(outcomes, alone, holdings=eight)], load=BATCH))

    assert found["cost_busy"]["usd_total"] == pytest.approx(0.001 * 2 * 4)
    assert found["usd_total"] == pytest.approx(0.001 * 8 * 4)
