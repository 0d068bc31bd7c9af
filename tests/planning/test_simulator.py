"""The event simulator: against closed forms where these hold, and what it may never lose."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.planning.nodes import node_of, planned, with_cache
from tts_eval.planning.closed_forms import operating_point, synchronised_seconds
from tts_eval.planning.model import Node, PlannedModel
from tts_eval.planning.serving import Serving
from tts_eval.planning.simulator import Simulated
from tts_eval.planning.speculation import Speculation
from tts_eval.planning.workload import Job, Piece, Shape, Workload


@pytest.fixture(scope="module")
def node() -> Node:
    return node_of("r1_distill_llama_8b")


def jobs_of(*lengths: int, prompt: int = 128) -> list[Job]:
    return [Job(((Piece(prompt, 0, n),),)) for n in lengths]


def check_conservation(jobs: list[Job], model: PlannedModel, simulated: Simulated) -> None:
    """Every token asked for is generated once; what is prefilled beyond the prompts was lost before."""
    pieces = [piece for job in jobs for piece in job.pieces]
    asked = sum(piece.num_generated_tokens for piece in pieces)
    prompts = sum(max(1, piece.num_prompt_tokens - piece.num_cached_tokens) for piece in pieces)
    requests = [request for own in simulated.requests for request in own]

    assert simulated.num_generated_tokens == asked
    assert sum(request.num_generated for request in requests) == asked
    assert len(requests) == len(pieces)
    assert simulated.num_prefilled_tokens >= prompts
    assert (simulated.num_recomputed_tokens > 0) == (simulated.num_preemptions > 0)
    assert sum(request.num_preemptions for request in requests) == simulated.num_preemptions
    assert simulated.usage_peak <= 1
    for arrived_s, finished_s, own in zip(
        simulated.arrived_s, simulated.finished_s, simulated.requests, strict=True
    ):
        for request in own:
            assert request.first_token_s is not None and request.finished_s is not None
            assert (
                arrived_s <= request.submitted_s < request.first_token_s <= request.finished_s <= finished_s
            )


@pytest.mark.parametrize(("num_sequences", "generated"), [(1, 2000), (16, 4096), (64, 500), (200, 1)])
def test_equal_calls_that_all_fit_take_what_the_closed_form_says(
    node: Node, num_sequences: int, generated: int
) -> None:
    model = planned(replace(node, serving=Serving(max_num_batched_tokens=200 * 128)))
    jobs = jobs_of(*[generated] * num_sequences)

    simulated = model.simulate(jobs, in_flight=None)

    closed_s = synchronised_seconds(model, num_sequences=num_sequences, prompt=128, generated=generated)
    assert simulated.wall_s == pytest.approx(closed_s, rel=0.02)
    assert simulated.num_preemptions == 0


@pytest.mark.parametrize(("in_flight", "sigma"), [(1, 0.0), (8, 0.5), (64, 0.5), (200, 0.3)])
def test_a_closed_loop_settles_where_the_closed_form_says(node: Node, in_flight: int, sigma: float) -> None:
    """Throughput between the first and the last quarter of the answers, when the loop is full."""
    jobs = Workload(num_problems=20 * in_flight + 800, reasoning_tokens=1500, length_sigma=sigma).jobs()
    model = planned(node)

    simulated = model.simulate(jobs, in_flight=in_flight)

    ends = np.sort(simulated.finished_s)
    quarter = len(ends) // 4
    problems_per_s = (len(ends) - 2 * quarter - 1) / (ends[-quarter - 1] - ends[quarter])
    shape = Shape.of(jobs)
    point = operating_point(model, shape, in_flight=in_flight)
    assert problems_per_s == pytest.approx(point.generated_tokens_per_s / shape.generated_tokens, rel=0.02)
    assert point.tpot_s * shape.generated_tokens * problems_per_s == pytest.approx(in_flight, rel=0.02)


@pytest.mark.parametrize("seed", range(8))
def test_no_token_is_lost(node: Node, seed: int) -> None:
    """Random workloads on a small cache, with rounds, samples, chunks, drafts and either kind of loop."""
    random = np.random.default_rng(seed)
    drafts = int(random.integers(0, 4))
    serving = Serving(
        max_num_seqs=int(random.integers(2, 40)),
        max_num_batched_tokens=int(random.integers(64, 512)),
        speculation=Speculation(drafts, 1 + drafts * random.random(), 0.1),
    )
    small = with_cache(replace(node, serving=serving), int(random.integers(3000, 12_000)))
    model = planned(small, dp=int(random.integers(1, 4)))
    workload = Workload(
        num_problems=60,
        prompt_tokens=int(random.integers(1, 600)),
        reasoning_tokens=300,
        length_sigma=0.8,
        max_tokens=2000,
        samples=int(random.integers(1, 5)),
        rounds=int(random.integers(1, 4)),
        rate_per_s=float(random.uniform(1, 50)) if seed % 2 else None,
        seed=seed,
    )
    jobs = workload.jobs()

    simulated = model.simulate(jobs, in_flight=None if seed % 2 else int(random.integers(1, 60)))

    check_conservation(jobs, model, simulated)


@pytest.mark.parametrize(("num_sequences", "is_cut"), [(10, False), (11, True)])
def test_preemption_begins_where_demand_crosses_the_cache(
    node: Node, num_sequences: int, is_cut: bool
) -> None:
    """Room for ten chains of 1,024 tokens: the eleventh is more than there is."""
    model = planned(with_cache(node, 10 * 1024))
    jobs = jobs_of(*[1024 - 128 - 1] * num_sequences)

    simulated = model.simulate(jobs, in_flight=None)

    assert (simulated.num_preemptions > 0) is is_cut
    assert model.capacity.longest(num_sequences) == pytest.approx(10 * 1024 / num_sequences)
    check_conservation(jobs, model, simulated)


def test_the_newest_sequence_is_preempted_and_computed_again(node: Node) -> None:
    model = planned(with_cache(node, 1024))
    jobs = jobs_of(600, 600)

    simulated = model.simulate(jobs, in_flight=None)

    [old], [new] = simulated.requests
    assert (old.num_preemptions, new.num_preemptions) == (0, 1)
    assert old.finished_s is not None and new.finished_s is not None
    assert new.finished_s > old.finished_s
    # Blocks of 16 run out when each holds half of them; the newest had generated so much by then.
    assert simulated.num_recomputed_tokens == pytest.approx(512, abs=16)


def test_past_the_cliff_throughput_falls(node: Node) -> None:
    """The same 64 sequences, twice as long: the cache holds half of them."""
    rates = []
    for length in (500, 1000, 2000, 4000):
        model = planned(with_cache(node, 64 * 1200))
        simulated = model.simulate(jobs_of(*[length] * 256), in_flight=64)
        rates.append((simulated.generated_tokens_per_s, simulated.num_preemptions))

    assert [preemptions > 0 for _, preemptions in rates] == [False, False, True, True]
    assert rates[3][0] < rates[2][0] < rates[1][0]


def test_replicas_share_the_jobs_evenly(node: Node) -> None:
    one, four = (planned(node, dp=dp).simulate(jobs_of(*[1000] * 32), in_flight=None) for dp in (1, 4))
    alone = planned(node).simulate(jobs_of(*[1000] * 8), in_flight=None)

    assert four.wall_s == pytest.approx(alone.wall_s)
    assert four.wall_s < one.wall_s


def test_a_round_waits_for_all_of_the_one_before(node: Node) -> None:
    job = Job(((Piece(100, 0, 50), Piece(100, 99, 400)), (Piece(500, 499, 10),)))

    simulated = planned(node).simulate([job], in_flight=None)

    short, long, last = simulated.requests[0]
    assert short.finished_s is not None and long.finished_s is not None
    assert short.finished_s < long.finished_s == last.submitted_s


def test_an_arrival_is_seen_at_the_next_step_and_not_when_the_batch_changes_next(node: Node) -> None:
    jobs = [*jobs_of(10_000), Job(((Piece(128, 0, 10),),), arrived_s=1.0)]

    simulated = planned(node).simulate(jobs, in_flight=None)

    assert simulated.arrived_s[1] == 1.0
    assert simulated.tta_s[1] < 0.5 < simulated.tta_s[0]


def test_drafts_that_are_accepted_shorten_a_single_stream(node: Node) -> None:
    """Three tokens a verification, drafts at a twentieth of a step; at one sequence verifying is free."""
    plain, drafting = (
        planned(replace(node, serving=Serving(speculation=s))).simulate(jobs_of(3000), in_flight=None)
        for s in (Speculation(), Speculation(3, 3.0, 0.05))
    )

    assert plain.wall_s / drafting.wall_s == pytest.approx(3 / (1 + 3 * 0.05), rel=0.02)


def test_coupled_replicas_hold_the_sequences_of_all(node: Node) -> None:
    """Experts over all GPUs: eight caches, one step."""
    model = planned(node_of("deepseek_r1"), dp=8, ep=8)
    jobs = Workload(num_problems=64, reasoning_tokens=500).jobs()

    simulated = model.simulate(jobs, in_flight=None)

    assert model.plan.num_engines == 1
    check_conservation(jobs, model, simulated)


def test_the_same_workload_is_drawn_twice_alike() -> None:
    workload = Workload(num_problems=20, length_sigma=0.7, samples=3, rounds=2, rate_per_s=2.0, seed=5)

    assert workload.jobs() == workload.jobs()
    assert workload.jobs() != replace(workload, seed=6).jobs()


def test_rounds_share_out_a_samples_tokens() -> None:
    [job] = Workload(num_problems=1, reasoning_tokens=10, samples=2, rounds=3, prompt_tokens=7).jobs()

    assert [[p.num_generated_tokens for p in pieces] for pieces in job.rounds] == [[3, 3], [3, 3], [4, 4]]
    assert [[p.num_prompt_tokens for p in pieces] for pieces in job.rounds] == [[7, 7], [10, 10], [13, 13]]
    assert Counter(p.num_prompt_tokens - p.num_cached_tokens for p in job.pieces) == {7: 1, 1: 5}


def test_poisson_arrivals_have_their_rate() -> None:
    jobs = Workload(num_problems=4000, reasoning_tokens=1, rate_per_s=5.0).jobs()

    assert jobs[0].arrived_s == 0
    assert jobs[-1].arrived_s == pytest.approx(4000 / 5, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"in_flight": 4, "rate_per_s": 1.0}, "in_flight and plan.workload.rate_per_s exclude each other"),
        ({"reasoning_tokens": 4, "rounds": 5}, "rounds must be at most the 4 reasoning tokens, not 5"),
        ({"samples": 0}, "plan.workload.samples must be a whole number from 1, not 0"),
        ({"length_sigma": -1}, "plan.workload.length_sigma must be a number from 0 or more, not -1"),
    ],
)
def test_a_workload_that_makes_no_sense_is_refused(settings: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Workload(**settings)  # type: ignore[arg-type]
