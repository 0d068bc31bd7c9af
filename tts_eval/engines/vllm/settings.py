"""vLLM in this process (AsyncLLM): settings, what they must satisfy, start and stop."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

from tts_eval import checks
from tts_eval.engines.label_tokens import label_ids
from tts_eval.engines.protocol import Capabilities, Drafting, EngineSettings
from tts_eval.engines.vllm import parallelism, platform, speculation
from tts_eval.model import Model

if TYPE_CHECKING:
    from tts_eval.engines.vllm.engine import RunningVllm


@dataclass(frozen=True)
class VllmEngine(EngineSettings):
    """Settings of one vLLM engine; None leaves a choice to vLLM (on CPU: to `platform.cpu_defaults`).

    `further` holds every other argument of vLLM's `AsyncEngineArgs`, given as `+engine.NAME=VALUE`; a
    multi-node engine is vLLM's own Ray executor, `engine.distributed_executor_backend=ray`.
    `num_threads` is the number of OpenMP threads of a CPU worker. `speculative_config` is an option of
    `conf/speculation/`. `first_gpu` leaves the GPUs before it to other engines of the run. With
    `label_tokens` a language model is read as a classifier of these (see `engines.label_tokens`). Not
    `seeded`, samples are drawn without seeds of their own: vLLM's fast path, and a rerun draws others. With
    `ends_thinking` a request may cap its thinking (`Request.max_thinking_tokens`).
    """

    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    data_parallel_size: int = 1
    enable_expert_parallel: bool = False
    dtype: str | None = None
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    gpu_memory_utilization: float | None = None
    kv_cache_memory_bytes: int | None = None
    kv_cache_dtype: str | None = None
    enable_prefix_caching: bool = True
    enable_chunked_prefill: bool | None = None
    scheduling_policy: str | None = None
    enforce_eager: bool | None = None
    distributed_executor_backend: str | None = None
    speculative_config: Mapping[str, Any] | None = None
    num_threads: int = 1
    first_gpu: int = 0
    label_tokens: Sequence[str] = ()
    seeded: bool = True
    ends_thinking: bool = False
    further: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def configure(cls, **settings: Any) -> Self:
        """Return the settings, with every name that is not a field of ours kept in `further`."""
        own = {f.name for f in fields(cls)} - {"further"}
        known = {name: value for name, value in settings.items() if name in own}
        return cls(**known, further={name: value for name, value in settings.items() if name not in own})

    def __post_init__(self) -> None:
        for name in ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size", "num_threads"):
            checks.whole_number(f"engine.{name}", getattr(self, name), minimum=1)
        for name in ("max_model_len", "max_num_seqs", "max_num_batched_tokens", "kv_cache_memory_bytes"):
            checks.optional_whole_number(f"engine.{name}", getattr(self, name), minimum=1)
        if self.gpu_memory_utilization is not None:
            checks.number(
                "engine.gpu_memory_utilization", self.gpu_memory_utilization, minimum=0.01, maximum=1.0
            )
        if self.dtype is not None:
            allowed = ("auto", "float32", "float16", "bfloat16", "half", "float")
            checks.one_of("engine.dtype", self.dtype, allowed)
        checks.one_of("engine.seeded", self.seeded, (True, False))
        checks.one_of("engine.ends_thinking", self.ends_thinking, (True, False))

    @property
    def label(self) -> str:
        """What messages call it."""
        return "vllm_pooling" if self._is_pooling else "vllm"

    @property
    def capabilities(self) -> Capabilities:
        """One model either writes or is read; vLLM gives 20 log-probabilities a token by default."""
        if self._is_pooling:
            return Capabilities(samples=False, reads=True, priorities=True)
        return Capabilities(
            max_num_logprobs=int(self.further.get("max_logprobs", 20)),
            ends_thinking=self.ends_thinking,
            priorities=True,
            speculation=True,
        )

    @property
    def _is_pooling(self) -> bool:
        return self.further.get("runner") == "pooling"

    @property
    def is_on_cpu(self) -> bool:
        """Whether its workers share the processors of one machine, and no GPU is held."""
        return platform.is_cpu()

    @property
    def num_gpus(self) -> int:
        """GPUs that this engine holds; a machine without any counts as one, however many workers it has."""
        return 1 if self.is_on_cpu else self.num_workers

    @property
    def num_workers(self) -> int:
        """Processes that the model is spread over: GPUs, or cores of a machine without any."""
        return self.tensor_parallel_size * self.pipeline_parallel_size * self.data_parallel_size

    @property
    def memory_share(self) -> float:
        """Which share of its GPUs' memory it takes."""
        if platform.is_cpu():
            return 0.0
        return self.gpu_memory_utilization or platform.DEFAULT_GPU_MEMORY_UTILIZATION

    def with_speculation(self, speculation: Mapping[str, Any]) -> Self:
        """Return the engine drafting tokens as `speculation` says."""
        if self._is_pooling:
            return super().with_speculation(speculation)
        return replace(self, speculative_config=speculation)

    def with_priority(self) -> Self:
        """Return the engine serving by priority; ValueError where its settings say otherwise."""
        if self.scheduling_policy not in (None, "priority"):
            raise ValueError(
                "scheduling.priority needs engine.scheduling_policy=priority or null, "
                f"not {self.scheduling_policy}"
            )
        return replace(self, scheduling_policy="priority")

    def with_threads(self, num_threads: int) -> Self:
        """Return the engine with so many OpenMP threads a CPU worker."""
        return replace(self, num_threads=num_threads)

    @property
    def states_memory_share(self) -> bool:
        """Whether the share is the user's own, and not vLLM's default."""
        return self.gpu_memory_utilization is not None

    def with_memory_share(self, share: float) -> Self:
        """Return the settings with a share of the GPUs' memory; on CPU there is none to share."""
        return self if platform.is_cpu() else replace(self, gpu_memory_utilization=share)

    def placed(self, first_gpu: int) -> Self:
        """Return the settings on the GPUs from `first_gpu` on; on CPU nothing is placed."""
        return self if platform.is_cpu() else replace(self, first_gpu=first_gpu)

    def model_len(self, model: Model) -> int:
        """Return the longest prompt plus generation, in tokens; ValueError where the model allows less."""
        architecture = model.architecture().get_text_config()
        longest = int(architecture.max_position_embeddings)
        wanted = self.max_model_len or model.max_model_len or longest
        if wanted > longest:
            raise ValueError(
                f"max_model_len={wanted} is more than the {longest} tokens of model {model.name!r}"
            )
        return wanted

    def check(self, model: Model) -> None:
        """Reject with a ValueError what this machine or `model` cannot run, before anything is loaded."""
        parallelism.check(
            model,
            tensor=self.tensor_parallel_size,
            pipeline=self.pipeline_parallel_size,
            data=self.data_parallel_size,
            has_expert_parallel=self.enable_expert_parallel,
        )
        model_len = self.model_len(model)
        self._check_devices()
        if self.label_tokens and self.tensor_parallel_size > 1:
            raise ValueError(
                f"engine.label_tokens reads whole rows of lm_head, which tensor parallel workers share out; "
                f"allowed: engine.tensor_parallel_size=1 (got {self.tensor_parallel_size})"
            )
        platform.check_literals(kv_cache_dtype=self.kv_cache_dtype, scheduling_policy=self.scheduling_policy)
        if self.further:
            platform.check_arguments(self.further)
        label_ids(model, self.label_tokens)
        if self.speculative_config:
            speculation.check(
                self.speculative_config,
                model,
                model_len=model_len,
                tensor_parallel_size=self.tensor_parallel_size,
            )
            platform.check_acceptance(self.speculative_config.get("rejection_sample_method"))

    def _check_devices(self) -> None:
        """Reject more workers than this machine has devices; those of other nodes are Ray's to find."""
        if self.distributed_executor_backend == "ray":
            if find_spec("ray") is None:
                raise ValueError(
                    "engine.distributed_executor_backend=ray needs the package ray: pip install ray"
                )
            return
        num_nodes = int(self.further.get("nnodes") or 1)
        platform.check_devices(-(-self.num_workers // num_nodes), first_gpu=self.first_gpu)

    def drafting(self, model: Model) -> Drafting | None:
        """Return what drafts tokens for `model` inside the engine, None where nothing does."""
        return speculation.drafting_of(self.speculative_config, model) if self.speculative_config else None

    def arguments(self, model: Model) -> dict[str, Any]:
        """Return the arguments of vLLM's `AsyncEngineArgs` for `model`."""
        ours = asdict(self)
        for name in ("further", "num_threads", "first_gpu", "label_tokens", "seeded", "ends_thinking"):
            del ours[name]
        ours |= {
            "model": model.location,
            "revision": model.revision,
            "dtype": self.dtype or model.dtype,
            "max_model_len": self.model_len(model),
            "use_tqdm_on_load": False,
            "trust_remote_code": model.trust_remote_code or None,
        }
        markers = model.markers
        if self.ends_thinking and markers.thinking_start is not None:
            ours["reasoning_config"] = {
                "reasoning_start_str": markers.thinking_start,
                "reasoning_end_str": markers.thinking_end,
            }
        if self.label_tokens:
            labels = {"classifier_from_token": list(self.label_tokens), "method": "no_post_processing"}
            ours |= {"convert": "classify", "hf_overrides": labels}
        if self.speculative_config:
            ours["speculative_config"] = speculation.arguments(self.speculative_config, model)
            if "per_request_spec_decode_metrics" in platform.argument_names():  # newer than vLLM 0.26
                ours["per_request_spec_decode_metrics"] = "summary"
            if platform.is_cpu():
                ours["worker_extension_cls"] = platform.MENDED_CPU_WORKER
        given = {name: value for name, value in ours.items() if value is not None} | dict(self.further)
        if platform.is_cpu():
            given = (
                platform.cpu_defaults(num_workers=self.num_workers, num_stages=self.pipeline_parallel_size)
                | given
            )
        return given

    @asynccontextmanager
    async def start(self, model: Model) -> AsyncIterator[RunningVllm]:
        """Start the engine, yield it, and stop it with every process it has, whatever happens inside."""
        started_s = time.monotonic()
        arguments = self.arguments(model)
        with platform.environment(
            num_workers=self.tensor_parallel_size * self.pipeline_parallel_size,
            num_threads=self.num_threads,
            is_eager=bool(arguments.get("enforce_eager")),
            first_gpu=self.first_gpu,
            ends_thinking=self.ends_thinking,
        ):
            from tts_eval.engines.vllm.engine import RunningVllm

            engine = RunningVllm.start(
                arguments,
                num_gpus=self.num_gpus,
                max_model_len=self.model_len(model),
                is_seeded=self.seeded,
            )
        try:
            await engine.warm_up()
            engine.startup_s = time.monotonic() - started_s
            yield engine
        finally:
            engine.stop()
