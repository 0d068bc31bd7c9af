"""The parts of a machine's check, in the order of what they teach for their time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tts_eval.checking.part import Command, Part
from tts_eval.checking.readings import calibration, energy, found, of_runs, preempted
from tts_eval.checking.shapes import EXPERTS, SMALL, sizes_of, write_shape

PROBES = "tts_eval.checking.probes"
POCKET = ("tracking=none", "task.limit=32", "load.k=8")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much the machine is given to do: numbers in flight, tokens a sample, and shares of GPUs' memory."""

    on_gpu: bool
    in_flight: tuple[int, ...]
    num_tokens: int
    shape: Path
    large_shape: Path | None
    experts: Path

    @classmethod
    def of(cls, folder: Path, *, on_gpu: bool) -> Scale:
        """Write the random checkpoints below `folder` that suit the machine."""
        if not on_gpu:
            small = write_shape(SMALL, folder / "small", dtype="float32")
            return cls(
                False, (1, 8, 32), 64, small, None, write_shape(EXPERTS, folder / "experts", dtype="float32")
            )
        return cls(
            True,
            (1, 64, 256),
            256,
            write_shape(sizes_of("r1_distill_qwen_1_5b"), folder / "r1_1_5b", dtype="bfloat16"),
            write_shape(sizes_of("r1_distill_qwen_7b"), folder / "r1_7b", dtype="bfloat16"),
            write_shape(EXPERTS, folder / "experts", dtype="bfloat16"),
        )

    def run(
        self, folder: Path, *overrides: str, in_flight: Sequence[int] = (), shape: Path | None = None
    ) -> Command:
        """Return runs on random weights, one a number in flight; they share an engine."""
        shape, numbers = shape or self.shape, in_flight or self.in_flight[1:2]
        options = ",".join(f"k{number}" for number in numbers)
        return (
            "tts_eval",
            "-m",
            f"+experiment/check={options}",
            f"model.path={shape}",
            f"model.name={shape.name}",
            f"model.dtype={'bfloat16' if self.on_gpu else 'float32'}",
            "model.max_model_len=2048",
            "+engine.load_format=dummy",
            f"strategy.max_tokens={self.num_tokens}",
            *overrides,
            f"hydra.sweep.dir={folder}",
        )


def parts(folder: Path, scale: Scale) -> Iterator[Part]:
    """Yield the parts; each has a folder of its name below `folder`."""

    def at(name: str) -> Path:
        return folder / name

    def probe(name: str, *arguments: str, part: str = "") -> Command:
        return (PROBES, name, str(at(part or name)), *arguments)

    slow = 1.0 if scale.on_gpu else 2.0
    share = ("engine.gpu_memory_utilization=0.3",) if scale.on_gpu else ()
    in_flight = ",".join(map(str, scale.in_flight))
    speed = of_runs("tokens_per_s", "ttft_p50_s", "tpot_p50_s", "mfu", "bandwidth", "joules_per_token")
    yield Part(
        name="machine", shows="driver, GPUs, versions", commands=[probe("machine")], read=found, limit_s=60
    )
    yield Part(
        name="speeds",
        shows="memory bandwidth, matrix rate",
        commands=[probe("speeds")],
        read=found,
        limit_s=60,
    )
    yield Part(
        name="throughput",
        shows=f"runs at {in_flight} in flight",
        commands=[scale.run(at("throughput"), in_flight=scale.in_flight)],
        read=speed,
        limit_s=120 * slow,
    )
    yield Part(
        name="prediction",
        shows="the planner, fitted to these runs",
        commands=[
            (
                "tts_eval.plan",
                "model=local",
                f"model.path={scale.shape}",
                "plan.num_gpus=1",
                f"plan.calibrate={at('throughput')}",
                "plan.figures=false",
                f"hydra.run.dir={at('prediction') / 'plan'}",
            )
        ],
        read=calibration,
        limit_s=60 * slow,
        after="throughput",
    )
    yield Part(
        name="energy",
        shows="energy counter against power samples",
        commands=[],
        read=lambda _: energy(at("throughput")),
        limit_s=10,
        not_on_cpu="no power is read on a CPU",
        after="throughput",
    )
    yield Part(
        name="overhead",
        shows="seeds, and our handle over the bare engine",
        commands=[probe("overhead", str(scale.shape), str(scale.num_tokens), *map(str, scale.in_flight))],
        read=found,
        limit_s=90 * slow,
    )
    yield Part(
        name="restart",
        shows="memory back, next engine at once",
        commands=[probe("restart", str(scale.shape))],
        read=found,
        limit_s=75 * slow,
    )
    yield Part(
        name="orphans",
        shows="nothing left after SIGKILL",
        commands=[probe("orphans")],
        read=found,
        limit_s=60 * slow,
    )
    yield Part(
        name="shared",
        shows="policy and PRM on one GPU",
        commands=[
            (
                "tts_eval",
                *POCKET,
                "strategy=best_of_n",
                "strategy.n=4",
                "verifier=pocket_prm",
                *share,
                f"hydra.run.dir={at('shared')}",
            )
        ],
        read=of_runs("tokens_per_s", "startup_s"),
        limit_s=75 * slow,
    )
    yield Part(
        name="speculation",
        shows="n-gram and draft model",
        commands=[
            (
                "tts_eval",
                "-m",
                *POCKET,
                "speculation=ngram,draft",
                *share,
                f"hydra.sweep.dir={at('speculation')}",
            )
        ],
        read=of_runs("tokens_per_s", "acceptance"),
        limit_s=120 * slow,
    )
    yield Part(
        name="preemption",
        shows="a KV cache too small for the load",
        commands=[
            (
                "tts_eval",
                *POCKET,
                "load.k=32",
                "strategy.temperature=2.0",
                "strategy.max_tokens=300",
                "engine.kv_cache_memory_bytes=4194304",
                f"hydra.run.dir={at('preemption')}",
            )
        ],
        read=preempted,
        limit_s=60 * slow,
    )
    yield Part(
        name="witness",
        shows="vLLM's own latency benchmark",
        commands=[
            (
                "vllm.entrypoints.cli.main",
                "bench",
                "latency",
                "--model",
                str(scale.shape),
                "--load-format",
                "dummy",
                "--input-len",
                "8",
                "--output-len",
                str(scale.num_tokens),
                "--max-model-len",
                "2048",
                "--batch-size",
                str(scale.in_flight[1]),
                "--num-iters-warmup",
                "1",
                "--num-iters",
                "2",
                "--output-json",
                str(at("witness") / "found.json"),
            )
        ],
        read=lambda where: {key: value for key, value in found(where).items() if key.startswith("avg")},
        limit_s=75 * slow,
    )
    yield Part(
        name="eager",
        shows="start and speed without graphs",
        commands=[scale.run(at("eager"), "engine.enforce_eager=true", in_flight=(1,))],
        read=of_runs("startup_s", "tpot_p50_s"),
        limit_s=60,
        not_on_cpu="a CPU always runs eager here",
    )
    yield Part(
        name="fp8_kv",
        shows="KV cache in fp8",
        commands=[scale.run(at("fp8_kv"), "engine.kv_cache_dtype=fp8")],
        read=speed,
        limit_s=90,
        not_on_cpu="vLLM's CPU build keeps float32 models' KV cache as it is",
    )
    yield Part(
        name="large",
        shows="the shape of R1-Distill-Qwen-7B",
        commands=[scale.run(at("large"), shape=scale.large_shape)],
        read=speed,
        limit_s=120,
        not_on_cpu="needs 16 GB of GPU memory",
    )
    yield Part(
        name="sleep",
        shows="vLLM's sleep and waking up",
        commands=[probe("sleep", str(scale.shape))],
        read=found,
        limit_s=60,
        not_on_cpu="vLLM's sleep mode is CUDA's",
    )
    for name, overrides, num in (
        ("tp2", ("engine.tensor_parallel_size=2",), 2),
        ("dp2", ("engine.data_parallel_size=2",), 2),
        ("pp2", ("engine.pipeline_parallel_size=2",), 2),
        ("tp4", ("engine.tensor_parallel_size=4",), 4),
    ):
        yield Part(
            name=name,
            shows=f"{num} workers",
            commands=[scale.run(at(name), *overrides)],
            read=speed,
            limit_s=90 * slow,
            num_gpus=num,
            # Pipeline stages cannot run eager on CPU, and compiling takes minutes.
            not_on_cpu="vLLM's CPU build compiles for pipeline stages, which takes minutes"
            if name == "pp2"
            else None,
        )
    yield Part(
        name="ep2",
        shows="experts of a mixture on two GPUs",
        commands=[
            scale.run(
                at("ep2"),
                "engine.tensor_parallel_size=2",
                "engine.enable_expert_parallel=true",
                shape=scale.experts,
            )
        ],
        read=speed,
        limit_s=90 * slow,
        num_gpus=2,
        not_on_cpu="vLLM's CPU build has no expert parallel kernels",
    )
    yield Part(
        name="reduce",
        shows="all-reduce of two workers",
        commands=[probe("reduce", "2")],
        read=found,
        limit_s=45,
        num_gpus=2,
    )
