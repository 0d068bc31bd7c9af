"""Our figures against two witnesses: the engine's own Prometheus counters, and vLLM's own benchmark.

The counters watch the very requests that we measure. vLLM's benchmark (`vllm bench serve`: its closed loop,
its clock, its arithmetic) asks the same engine for the same prompts and lengths at the same concurrency, in
turns with us and each time from an empty prefix cache. It reaches the engine within this process, because a
server in between would take a share of the cores that we do not; it streams every token, so we do too. Run
it as `python -m benchmarks.witness`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.overhead import cell_of, pocket
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.protocols import LanguageModel, Strategy, Verifier
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.rundir.schema import plain
from tts_eval.running.cell import CheckedCell
from tts_eval.running.loads import Concurrent
from tts_eval.running.loop import run_cell

BAR = 0.05  # a witness may differ by so much
ENDPOINT = "in-process"


@dataclass(frozen=True, slots=True)
class Figures:
    """What each side says of one round."""

    output_tokens_per_s: float
    mean_ttft_s: float
    mean_tpot_s: float


@dataclass(frozen=True)
class Streamed(Strategy):
    """Answer greedily, every token streamed as vLLM's benchmark has it."""

    max_tokens: int

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Answer with the one trace."""
        start, max_tokens = llm.start(problem), self.max_tokens
        async with llm.stream(start, max_tokens=max_tokens, temperature=0.0, every=max_tokens) as growing:
            [*_, trace] = [trace async for trace in growing]
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))


class Counters:
    """The engine's Prometheus counters since this was made."""

    def __init__(self) -> None:
        self._before = self._read()

    def figures(self, wall_s: float) -> Figures:
        """Return what they rose by; means are sums over counts, no bucket is involved."""
        rises = {name: value - self._before[name] for name, value in self._read().items()}
        ttft, tpot = "vllm:time_to_first_token_seconds", "vllm:request_time_per_output_token_seconds"
        return Figures(
            rises["vllm:generation_tokens_total"] / wall_s,
            rises[f"{ttft}_sum"] / rises[f"{ttft}_count"],
            rises[f"{tpot}_sum"] / rises[f"{tpot}_count"],
        )

    def _read(self) -> dict[str, float]:
        from prometheus_client import REGISTRY

        return {sample.name: sample.value for metric in REGISTRY.collect() for sample in metric.samples}


async def ours(checked: CheckedCell, engine: Any, grader: Grader) -> tuple[Figures, Figures]:
    """Run the cell in a new folder; return what the summary says, and what the engine's counters say."""
    counters = Counters()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        here = replace(checked, cell=replace(checked.cell, directory=Path(folder)))
        summary = plain(await run_cell(here, engine, grader))
    assert summary["num_failed"] == 0
    calls = summary["calls"]["policy"]
    said = Figures(
        summary["generated_tokens_per_s"], calls["ttft_s"]["mean"], calls["tpot_excl_first_s"]["mean"]
    )
    return said, counters.figures(summary["wall_s"])


async def vllm_benchmark(checked: CheckedCell, engine: Any, *, max_tokens: int) -> Figures:
    """Let vLLM's own benchmark drive the engine, and return what it says."""
    from transformers import AutoTokenizer
    from vllm.benchmarks import serve
    from vllm.benchmarks.datasets import SampleRequest

    load = checked.cell.load
    assert isinstance(load, Concurrent)
    prompts = [list(checked.codec.prompt(problem.question)) for problem in checked.problems]
    requests = [SampleRequest(prompt, len(prompt), max_tokens) for prompt in prompts]
    await engine.forget()
    serve.ASYNC_REQUEST_FUNCS[ENDPOINT] = in_process(engine._llm)
    with contextlib.redirect_stdout(io.StringIO()):
        result = await serve.benchmark(
            task_type=serve.TaskType.GENERATION,
            endpoint_type=ENDPOINT,
            api_url="http://127.0.0.1:9",  # nobody listens: only speculation's counters are asked for there
            base_url="http://127.0.0.1:9",
            model_id="pocket",
            model_name="pocket",
            tokenizer=checked.cell.model.load(AutoTokenizer, "tokenizer"),  # without one it tells no times
            input_requests=requests,
            logprobs=None,
            request_rate=float("inf"),
            burstiness=1.0,
            disable_tqdm=True,
            num_warmups=0,
            profile=False,
            selected_percentile_metrics=["ttft", "tpot"],
            selected_percentiles=[99.0],
            ignore_eos=False,
            goodput_config_dict={},
            max_concurrency=load.k,
            lora_modules=None,
            extra_headers=None,
            extra_body=None,
            ready_check_timeout_sec=0,
        )
    return Figures(result["output_throughput"], result["mean_ttft_ms"] / 1000, result["mean_tpot_ms"] / 1000)


def in_process(llm: Any) -> Any:
    """Return a request function for vLLM's benchmark, as those for its servers, on an engine at hand."""
    from vllm import SamplingParams
    from vllm.benchmarks.lib.endpoint_request_func import RequestFuncInput, RequestFuncOutput
    from vllm.sampling_params import RequestOutputKind

    numbers = iter(range(10**9))

    async def request(
        request_func_input: RequestFuncInput, session: Any, pbar: Any = None
    ) -> RequestFuncOutput:
        params = SamplingParams(
            temperature=0.0,
            max_tokens=request_func_input.output_len,
            output_kind=RequestOutputKind.DELTA,
        )
        prompt: Any = {"prompt_token_ids": request_func_input.prompt}
        seen = RequestFuncOutput(prompt_len=request_func_input.prompt_len)
        seen.start_time = latest_s = time.perf_counter()
        async for output in llm.generate(prompt, params, f"witness-{id(numbers)}-{next(numbers)}"):
            now_s = time.perf_counter()
            if seen.output_tokens == 0:
                seen.ttft = now_s - seen.start_time
            else:
                seen.itl.append(now_s - latest_s)
            latest_s = now_s
            seen.output_tokens += len(output.outputs[0].token_ids)
        seen.latency, seen.success = latest_s - seen.start_time, True
        return seen

    return request


def report(named: dict[str, list[Figures]], against: dict[str, str]) -> bool:
    """Print medians over rounds, and how far each witness is from the side that it witnesses."""
    met = True
    for name, rounds in named.items():
        values = [median(getattr(each, figure) for each in rounds) for figure in Figures.__slots__]
        line = f"{name:<34}{values[0]:>10,.0f} tok/s {1000 * values[1]:>9.2f} ms {1000 * values[2]:>8.3f} ms"
        if name in against:
            pairs = list(zip(rounds, named[against[name]], strict=True))
            apart = [
                median(getattr(one, figure) / getattr(other, figure) - 1 for one, other in pairs)
                for figure in Figures.__slots__
            ]
            met = met and all(abs(share) <= BAR for share in apart)
            line += "   " + ", ".join(f"{share:+.1%}" for share in apart)
        print(line)
    return met


async def main(arguments: Sequence[str]) -> int:
    """Measure all sides in turns; 0 if both witnesses agree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.witness", description=__doc__)
    parser.add_argument("--model", default="pocket/reasoner", help="a folder with a checkpoint")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--max-tokens", type=int, default=128)
    options = parser.parse_args(arguments)
    model, max_tokens = pocket(options.model), options.max_tokens
    plain = cell_of(
        model, in_flight=options.concurrency, num_problems=options.problems, max_tokens=max_tokens
    )
    streamed = replace(plain, cell=replace(plain.cell, strategy=Streamed(max_tokens)))
    sides = ("ours", "engine's counters, same requests", "ours, streamed", "vLLM's benchmark")
    found: dict[str, list[Figures]] = {side: [] for side in sides}
    async with VllmEngine().start(model) as engine, Grader(GradingPool()) as grader:
        for number in range(options.rounds + 1):
            said, counted = await ours(plain, engine, grader)
            if number % 2:
                watched, _ = await ours(streamed, engine, grader)
                benchmark = await vllm_benchmark(plain, engine, max_tokens=max_tokens)
            else:
                benchmark = await vllm_benchmark(plain, engine, max_tokens=max_tokens)
                watched, _ = await ours(streamed, engine, grader)
            if number > 0:  # the first round warms up
                for side, figures in zip(sides, (said, counted, watched, benchmark), strict=True):
                    found[side].append(figures)
    print(
        f"{options.problems} problems, {options.concurrency} in flight, at most {max_tokens} tokens; medians "
        f"of {options.rounds} rounds: output throughput, mean TTFT, mean TPOT; median difference in a round"
    )
    met = report(found, {sides[1]: sides[0], sides[3]: sides[2]})
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
