"""Recorded runs for the tests of the planner: simulated ones, as if they had been measured."""

from __future__ import annotations

from typing import Any

from tests.planning.nodes import model_named
from tests.rundir.manifests import manifest, start
from tests.summary.made import summary_of
from tts_eval.planning.model import PlannedModel
from tts_eval.planning.parallelism import Plan
from tts_eval.planning.plan_settings import config_of
from tts_eval.planning.recorded import RecordedRun, Span
from tts_eval.planning.simulator import Simulated
from tts_eval.planning.timings import Timings
from tts_eval.planning.workload import Job
from tts_eval.records import Finish
from tts_eval.requests import EngineFacts
from tts_eval.spend import Call

ENGINE = {
    "data_parallel_size": 1,
    "tensor_parallel_size": 1,
    "pipeline_parallel_size": 1,
    "enable_expert_parallel": False,
    "speculation": None,
    "kv_cache_dtype": "auto",
    "dtype": "float32",
    "enforce_eager": True,
    "enable_chunked_prefill": False,
    "block_size": 32,
    "max_num_batched_tokens": 2048,
}
TRUTH = Timings(  # a machine whose constants are known
    bandwidth_gb_per_s=4.0,
    bf16_tflops=1.0,
    fp8_tflops=None,
    link_gb_per_s=None,
    matrix_efficiency=1,
    attention_efficiency=1,
    flops_efficiency=1,
    matrix_floor_us=0,
    attention_floor_us=0,
    misc_us=0,
    host_step_us=2500,
    host_sequence_us=60,
    host_request_us=900,
)


def played(
    name: str,
    jobs: list[Job],
    *,
    in_flight: int | None = None,
    max_num_seqs: int = 64,
    num_blocks: int = 4096,
    num_correct: int = 1,
    timings: Timings = TRUTH,
) -> RecordedRun:
    """Return the run that the pocket model would leave on a machine with these constants."""
    empty = run_of(name, jobs, None, in_flight=in_flight, max_num_seqs=max_num_seqs, num_blocks=num_blocks)
    simulated = PlannedModel.on(empty.node(timings), Plan(1, 1, 1)).simulate(jobs, in_flight=in_flight)
    return run_of(
        name,
        jobs,
        simulated,
        in_flight=in_flight,
        max_num_seqs=max_num_seqs,
        num_blocks=num_blocks,
        num_correct=num_correct,
    )


def run_of(
    name: str,
    jobs: list[Job],
    simulated: Simulated | None,
    *,
    in_flight: int | None,
    max_num_seqs: int,
    num_blocks: int,
    num_correct: int = 1,
) -> RecordedRun:
    """Return what the files of a run say; without a simulation, of one in which nothing happened yet."""
    engine = {**ENGINE, "num_gpu_blocks": num_blocks, "max_num_seqs": max_num_seqs}
    requests = simulated.requests if simulated else []
    calls = [
        Call(
            problem_id=str(job),
            number=number,
            role="policy",
            seed=0,
            num_prompt_tokens=request.piece.num_prompt_tokens,
            num_cached_tokens=request.piece.num_cached_tokens,
            num_generated_tokens=request.piece.num_generated_tokens,
            finish=Finish.END,
            submitted_s=request.submitted_s,
            finished_s=_known(request.finished_s),
            queue_s=_known(request.scheduled_s) - request.submitted_s,
            prefill_s=_known(request.first_token_s) - _known(request.scheduled_s),
            decode_s=_known(request.finished_s) - _known(request.first_token_s),
            num_preemptions=request.num_preemptions,
        )
        for job, own in enumerate(requests)
        for number, request in enumerate(own)
    ]
    times = zip(simulated.arrived_s, simulated.finished_s, strict=True) if simulated else ()
    return RecordedRun(
        name=name,
        summary=summary_of(
            load="all_at_once" if in_flight is None else "concurrent",
            num_preemptions=simulated.num_preemptions if simulated else 0,
            generated_tokens_per_s=simulated.generated_tokens_per_s if simulated else None,
            accuracy=num_correct / len(jobs),
            accuracy_ci95=[0.0, 1.0],
        ),
        manifest=manifest(
            config={"load": {"k": in_flight}},
            architecture=dict(config_of(model_named("pocket"))),
            problems=f"sha256:{len(jobs)}",
            sessions=[start(engine=facts(engine))],
        ),
        spans={str(number): Span(arrived_s, end_s) for number, (arrived_s, end_s) in enumerate(times)},
        calls=calls,
    )


def facts(settings: dict[str, Any]) -> EngineFacts:
    """Return the facts of an engine with these settings."""
    return EngineFacts("vllm", "1", "cpu", num_gpus=1, max_model_len=64, startup_s=0.0, settings=settings)


def _known(seconds: float | None) -> float:
    assert seconds is not None
    return seconds
