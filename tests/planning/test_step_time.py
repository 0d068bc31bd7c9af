"""The time of a step: hand-worked sums, and what must follow from them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.planning.nodes import hardware_named, node_of, planned
from tts_eval.hardware import Hardware
from tts_eval.planning.closed_forms import single_stream_speed_up
from tts_eval.planning.interconnect import Interconnect, at_degree
from tts_eval.planning.model import Node
from tts_eval.planning.step_time import Batch
from tts_eval.planning.timings import Timings

PLAIN = Timings(  # every efficiency 1, every floor 0: sums by hand
    bandwidth_gb_per_s=1000,
    bf16_tflops=100,
    fp8_tflops=200,
    link_gb_per_s=100,
    matrix_efficiency=1,
    matrix_floor_us=0,
    attention_efficiency=1,
    attention_floor_us=0,
    flops_efficiency=1,
    misc_us=0,
    host_step_us=0,
    host_sequence_us=0,
    all_reduce_graph_us={2: 10, 4: 20},
    all_reduce_gb_per_s={2: 50, 4: 40},
)


def without_host(node: Node, *, alpha_us: float | None = None) -> Node:
    """Return `node` with kernels alone, and all-reduces of one latency if given."""
    timings = replace(node.timings, host_step_us=0, host_sequence_us=0)
    if alpha_us is not None:
        timings = replace(timings, all_reduce_graph_us={2: alpha_us})
    return replace(node, timings=timings)


def test_one_sequence_takes_as_long_as_reading_the_weights_and_its_cache() -> None:
    """8B: 15.01 GB without the embedding at 1 TB/s, and 1,000 tokens of 131,072 bytes."""
    node = replace(node_of("r1_distill_llama_8b"), timings=PLAIN)
    step = planned(node).step_model.step_time(Batch(1, 1000))

    assert step.weights_s == pytest.approx(15.01e-3, rel=0.001)
    assert step.cache_s == pytest.approx(0.131e-3, rel=0.001)
    assert step.total_s == pytest.approx(15.14e-3, rel=0.001)


def test_a_large_batch_takes_as_long_as_multiplying() -> None:
    """1,000 sequences without context: 2 x 7.50B x 1,000 FLOPs at 100 TFLOP/s."""
    node = replace(node_of("r1_distill_llama_8b"), timings=PLAIN)

    assert planned(node).step_model.step_time(Batch(1000, 0)).total_s == pytest.approx(0.1501, rel=0.001)


def test_fp8_weights_halve_reading_and_multiplying() -> None:
    wide, narrow = (
        planned(replace(node_of("r1_distill_llama_8b", weights=w), timings=PLAIN)) for w in ("bf16", "fp8")
    )
    for batch in (Batch(1, 0), Batch(4000, 0)):
        slow, fast = (m.step_model.step_time(batch).total_s for m in (wide, narrow))
        assert slow / fast == pytest.approx(2, rel=0.08)  # embeddings stay in 16 bits


def test_two_gpus_halve_the_work_and_add_two_all_reduces_a_layer() -> None:
    node = replace(node_of("r1_distill_llama_8b"), timings=PLAIN)
    one, two = (planned(node, tp=tp).step_model.step_time(Batch(4, 4000)) for tp in (1, 2))

    assert two.weights_s == pytest.approx(one.weights_s / 2)
    assert two.cache_s == pytest.approx(one.cache_s / 2)
    message = 4 * 4096 * 2
    assert two.interconnect_s == pytest.approx((2 * 32 + 2) * (10e-6 + message / 50e9))


def test_a_pipeline_reads_its_weights_for_every_micro_batch() -> None:
    """Four stages have a quarter of the weights each and read them four times a step; each cache once."""
    node = replace(node_of("r1_distill_llama_8b"), timings=PLAIN)
    one, four = (planned(node, pp=pp).step_model.step_time(Batch(16, 16_000)) for pp in (1, 4))

    assert four.cache_s == pytest.approx(one.cache_s / 4)
    assert one.weights_s < four.weights_s < 1.25 * one.weights_s  # the slowest stage has the lm_head too
    lonely = planned(node, pp=4).step_model.step_time(Batch(1, 1000))
    assert lonely.weights_s == pytest.approx(four.weights_s)  # a single stream fills one stage at a time


def test_a_step_reads_the_experts_that_its_tokens_visit() -> None:
    """Qwen3-30B-A3B: one token visits 8 of 128 experts; 200 tokens leave almost none out."""
    node = replace(node_of("qwen3_30b_a3b"), timings=PLAIN)
    model = planned(node).step_model
    shard = model.stages[0]
    rest = shard.dense_bytes + shard.lm_head_bytes

    one, many = (model.step_time(Batch(n, 0)).weights_s * 1e12 - rest for n in (1, 200))
    assert one / shard.expert_bytes == pytest.approx(8 / 128)
    assert many / shard.expert_bytes == pytest.approx(1 - (1 - 1 / 16) ** 200)


def test_experts_over_all_gpus_are_sent_their_tokens() -> None:
    node = node_of("deepseek_r1")
    spread, cut = (planned(node, **plan).step_model.step_time(Batch(64, 64_000)) for plan in COUPLINGS)

    assert spread.routing_s > 0
    assert cut.routing_s == 0
    assert cut.interconnect_s > spread.interconnect_s


COUPLINGS = ({"dp": 8, "ep": 8}, {"tp": 8})


@pytest.mark.parametrize("context", [500, 8000])
def test_latency_of_all_reduces_decides_whether_small_models_gain_from_four_gpus(context: int) -> None:
    """R1-Distill-Qwen on H200, one sequence: in CUDA graphs 1.5B gains, with eager launches it loses."""
    small = node_of("r1_distill_qwen_1_5b")
    graphs, eager = (
        single_stream_speed_up(planned(n, tp=4), planned(n), context=context)
        for n in (without_host(small, alpha_us=4.85), without_host(small, alpha_us=20.7))
    )

    assert eager < 1 < graphs


def test_what_all_reduce_latency_a_speed_up_of_1_7_on_14b_needs() -> None:
    """16 to 19 us on H200 (a fit to one published ratio, not a prediction)."""
    node = node_of("r1_distill_qwen_14b")
    fast, slow = (
        single_stream_speed_up(planned(n, tp=4), planned(n), context=1000)
        for n in (without_host(node, alpha_us=16), without_host(node, alpha_us=19))
    )

    assert fast > 1.7 > slow


def test_tables_by_degree_are_read_upwards() -> None:
    assert [at_degree({2: 1.0, 8: 3.0}, n) for n in (2, 3, 8, 16)] == [1.0, 3.0, 3.0, 3.0]


def test_a_gpu_whose_links_nobody_measured_sees_half_of_them() -> None:
    links = Interconnect(replace(PLAIN, all_reduce_graph_us=None, all_reduce_gb_per_s=None), has_graphs=True)

    assert links.all_reduce_s(50e9, num_gpus=2) == pytest.approx(1.0, rel=1e-4)
    assert links.all_reduce_s(50e9, num_gpus=1) == 0
    with pytest.raises(ValueError, match=r"hardware\.interconnect_gb_per_s must be known"):
        Interconnect(replace(PLAIN, link_gb_per_s=None), has_graphs=True).send_s(1)


def test_constants_come_from_the_hardwares_file() -> None:
    timings = Timings.of(hardware_named("h200"))

    assert timings.matrix_floor_us == 3.17
    assert timings.bandwidth_gb_per_s * timings.matrix_efficiency == pytest.approx(1e3 / 0.2566, rel=0.001)
    assert timings.all_reduce_graph_us == {2: 4.5, 4: 4.8, 8: 5.4}


def test_unknown_speeds_are_asked_for() -> None:
    with pytest.raises(ValueError, match=r"speeds of CPU are not known \(bandwidth_gb_per_s, bf16_tflops\)"):
        Timings.of(hardware_named("cpu"))
    assert Timings.of(hardware_named("cpu"), assumed={"bandwidth_gb_per_s": 9, "bf16_tflops": 1}).misc_us == 0


def test_a_constant_that_is_none_is_refused() -> None:
    odd = Hardware("x", bandwidth_gb_per_s=1, bf16_tflops=1, timings={"matrx_floor_us": 1})

    with pytest.raises(ValueError, match=r"each name in hardware\.timings must be one of bandwidth_gb_per_s"):
        Timings.of(odd)
    with pytest.raises(
        ValueError, match=r"hardware\.timings\.misc_us must be a number from 0 or more, not -1"
    ):
        Timings.of(replace(odd, timings={"misc_us": -1}))
