"""A running vLLM engine: one request a sample, full outputs unless somebody watches the stream."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Self

import psutil
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.outputs import RequestOutput
from vllm.pooling_params import PoolingParams
from vllm.sampling_params import RequestOutputKind
from vllm.usage.usage_lib import UsageContext
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError

from tts_eval.concurrency import together
from tts_eval.devices import memory
from tts_eval.engines.vllm import platform
from tts_eval.engines.vllm.gauges import GaugeBoard, GaugeLogger
from tts_eval.engines.vllm.outputs import Growth, TokenTimes, sampling_params
from tts_eval.engines.vllm.plugin import register_our_models
from tts_eval.engines.vllm.processes import await_end, descendants, end_with_parent
from tts_eval.engines.vllm.vllm_stream import VllmStream
from tts_eval.records import Sampling
from tts_eval.requests import Completion, EngineDied, EngineFacts, Gauges, Pooled, PoolingRequest, Request

STOP_GRACE_S = 5.0  # for its processes to free the GPU by themselves, before they are killed
MEMORY_BACK_S = 10.0
FORGET_AGAIN_S = 0.05
MAX_FORGETS = 100
MOST_WARM_LOGPROBS = 20
DIED = "the vLLM engine died; its own message stands above"


class RunningVllm:
    """The handle on one AsyncLLM."""

    def __init__(
        self,
        llm: AsyncLLM,
        board: GaugeBoard,
        *,
        num_gpus: int,
        max_model_len: int,
        is_seeded: bool = True,
        processes: Collection[psutil.Process] = (),
        used_before_bytes: int | None = None,
    ) -> None:
        self.startup_s = 0.0
        self._llm = llm
        self._board = board
        self._num_gpus = num_gpus
        self._max_model_len = max_model_len
        self._is_seeded = is_seeded
        self._processes = processes
        self._used_before_bytes = used_before_bytes
        self._numbers = itertools.count()
        self._token_times = TokenTimes()
        self._token_times.watch(llm.output_processor)

    @classmethod
    def start(
        cls, arguments: dict[str, Any], *, num_gpus: int, max_model_len: int, is_seeded: bool = True
    ) -> Self:
        """Start the engine core and its workers; blocks until the weights are loaded.

        What vLLM chooses by itself it chooses as its server does.
        """
        end_with_parent()
        register_our_models()
        board, others, used_before_bytes = GaugeBoard(), descendants(), memory.used_bytes()
        try:
            llm = AsyncLLM.from_engine_args(
                AsyncEngineArgs(**arguments),
                usage_context=UsageContext.OPENAI_API_SERVER,
                stat_loggers=[partial(GaugeLogger, board)],
            )
        except BaseException:
            await_end(descendants() - others, grace_s=STOP_GRACE_S)
            raise
        return cls(
            llm,
            board,
            num_gpus=num_gpus,
            max_model_len=max_model_len,
            is_seeded=is_seeded,
            processes=descendants() - others,
            used_before_bytes=used_before_bytes,
        )

    def stop(self) -> None:
        """Stop every process of the engine; returns once they are gone and their GPUs' memory is back.

        The next engine needs its share free the moment it starts.
        """
        self._llm.shutdown(timeout=STOP_GRACE_S)
        await_end(self._processes, grace_s=STOP_GRACE_S)
        if not memory.await_back(self._used_before_bytes, timeout_s=MEMORY_BACK_S):
            print("the GPU's memory is not back although the engine has ended", file=sys.stderr)
        del self._llm
        gc.unfreeze()
        gc.collect()

    @cached_property
    def facts(self) -> EngineFacts:
        """What is fixed while this engine runs; first asked for once it is warm."""
        name, version = platform.installed()
        config = self._llm.vllm_config
        drafts = config.speculative_config
        return EngineFacts(
            name=name,
            version=version,
            device=str(config.device_config.device_type),
            num_gpus=self._num_gpus,
            max_model_len=self._max_model_len,
            startup_s=self.startup_s,
            # With drafts, sampled tokens are drawn again at every rejection.
            is_seeded=self._is_seeded and drafts is None,
            takes_seeds=self._is_seeded,
            is_synthetic=drafts is not None and drafts.rejection_sample_method == "synthetic",
            settings={
                "dtype": str(config.model_config.dtype).removeprefix("torch."),
                "quantization": config.model_config.quantization,
                "enforce_eager": config.model_config.enforce_eager,
                "enable_prefix_caching": config.cache_config.enable_prefix_caching,
                "enable_chunked_prefill": config.scheduler_config.enable_chunked_prefill,
                "kv_cache_dtype": config.cache_config.cache_dtype,
                "scheduling_policy": config.scheduler_config.policy,
                "tensor_parallel_size": config.parallel_config.tensor_parallel_size,
                "pipeline_parallel_size": config.parallel_config.pipeline_parallel_size,
                "data_parallel_size": config.parallel_config.data_parallel_size,
                "enable_expert_parallel": config.parallel_config.enable_expert_parallel,
                "speculation": drafts.method if drafts else None,
                "num_speculative_tokens": drafts.num_speculative_tokens if drafts else None,
                "block_size": config.cache_config.block_size,
                "num_gpu_blocks": config.cache_config.num_gpu_blocks,
                "max_num_seqs": config.scheduler_config.max_num_seqs,
                "max_num_batched_tokens": config.scheduler_config.max_num_batched_tokens,
                # What vLLM chooses by itself, for speculation otherwise than without.
                "model_runner": "v2" if getattr(config, "use_v2_model_runner", False) else "v1",
                "async_scheduling": bool(config.scheduler_config.async_scheduling),
                "cudagraph_mode": getattr(config.compilation_config.cudagraph_mode, "name", None),
                "attention_backend": getattr(config.attention_config.backend, "name", None),
            },
        )

    def gauges(self) -> Gauges:
        """Return the engine's levels and counters now."""
        return self._board.read()

    async def warm_up(self) -> None:
        """Run short requests of each kind, so that nothing is compiled while somebody measures.

        One alone and two together: kernels compiled for any number of samples are compiled apart for one.
        """
        if self._llm.vllm_config.model_config.runner_type == "pooling":
            for num_together in (1, 2):
                await together(self.pool(PoolingRequest((1,))) for _ in range(num_together))
            await self._settle()
            return
        greedy, seed = Request((1,), Sampling(), max_tokens=2), 0 if self._is_seeded else None
        most = self._llm.vllm_config.model_config.max_logprobs
        num_logprobs = MOST_WARM_LOGPROBS if most < 0 else min(most, MOST_WARM_LOGPROBS)
        kinds = (
            greedy,
            replace(greedy, num_logprobs=1),
            replace(greedy, num_logprobs=num_logprobs),
            replace(greedy, sampling=Sampling(temperature=1.0, top_p=0.9), seed=seed),
            replace(greedy, sampling=Sampling(temperature=1.0, top_p=0.9, top_k=20), seed=seed),
        )
        for request in kinds:
            for num_together in (1, 2):
                await together(self.generate(request) for _ in range(num_together))
        await self._settle()

    async def _settle(self) -> None:
        """Leave nothing behind that would hold up or help the measurement.

        A full garbage collection walks what the libraries have loaded, half a million objects; for as long,
        a second on a slow core, nothing arrives and no token is noted. vLLM's own server freezes them too.
        """
        await self.forget()
        gc.collect()
        gc.freeze()

    async def forget(self) -> None:
        """Empty the prefix cache, so that one run gains nothing from another.

        Blocks of a request that has just been aborted are free a step later. Raises RuntimeError where they
        are never.
        """
        for _ in range(MAX_FORGETS):
            if await self._llm.reset_prefix_cache() is not False:
                return
            await asyncio.sleep(FORGET_AGAIN_S)
        raise RuntimeError("vLLM could not empty its prefix cache: requests of an earlier run hold it")

    async def generate(self, request: Request) -> Completion:
        """Draw one sample to its end."""
        growth = Growth(request)
        outputs = self._outputs(growth, RequestOutputKind.FINAL_ONLY, self._next_id())
        [output] = [output async for output in outputs]
        return growth.add(output).completion(output, is_last=True)

    async def pool(self, request: PoolingRequest) -> Pooled:
        """Return the head's logits at every token that is not in the prefix cache."""
        params = PoolingParams(
            task="token_classify",
            use_activation=False,
            # By itself vLLM reads everything again for a task with an output a token, lest any be missing.
            skip_reading_prefix_cache=not request.may_use_cache,
        )
        prompt = _prompt(request.token_ids, request.cache_salt)
        outputs = self._llm.encode(prompt, params, self._next_id())
        try:
            [output] = [output async for output in outputs]
        except EngineDeadError as error:
            raise EngineDied(DIED) from error
        rows = tuple(tuple(row) for row in output.outputs.data.tolist())
        return Pooled(rows, num_cached_tokens=output.num_cached_tokens)

    def stream(self, request: Request, *, every: int = 1) -> VllmStream:
        """Draw one sample, to be looked at whenever it has grown by `every` tokens.

        One that nobody looks at before its end is sent once, whole, which spares an output a step.
        """
        request_id, growth = self._next_id(), Growth(request)
        is_looked_at = every < request.max_tokens
        kind = RequestOutputKind.DELTA if is_looked_at else RequestOutputKind.FINAL_ONLY
        outputs = self._outputs(growth, kind, request_id)
        return VllmStream(outputs, growth, every=every, abort=partial(self._llm.abort, request_id))

    def _next_id(self) -> str:
        return f"tts-{next(self._numbers)}"

    async def _outputs(
        self, growth: Growth, kind: RequestOutputKind, request_id: str
    ) -> AsyncGenerator[RequestOutput, None]:
        request = growth.request
        prompt = _prompt(request.prompt_ids, request.cache_salt)
        outputs = self._llm.generate(
            prompt, sampling_params(request, kind), request_id, priority=request.priority
        )
        try:
            with self._token_times.noted(request_id, growth.steps):
                async for output in outputs:
                    yield output
        except EngineDeadError as error:
            raise EngineDied(DIED) from error
        finally:
            await outputs.aclose()  # aborts the request unless it has finished


def _prompt(token_ids: Sequence[int], cache_salt: str | None) -> Any:
    salt = {} if cache_salt is None else {"cache_salt": cache_salt}
    return {"prompt_token_ids": list(token_ids), **salt}
