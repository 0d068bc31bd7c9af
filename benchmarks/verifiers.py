"""Scoring by the engine against plain transformers, and what the reuse of prefixes saves.

Both sides read the same traces with the pocket process reward model, all in flight at once, after a round
that goes unmeasured. Then a trace of 40 steps is scored after each step: tokens asked, and tokens computed.
Run it as `python -m benchmarks.verifiers`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Mapping, Sequence

from tts_eval.concurrency import together
from tts_eval.engines.protocol import AnyEngine, EngineSettings
from tts_eval.engines.transformers_reader import TransformersReader
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.metered_verifier import metered_verifier
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter
from tts_eval.model import Model
from tts_eval.protocols import Task
from tts_eval.records import Problem
from verifiers.separator_prm import SeparatorPrm

PRM = Model("pocket_prm", "pocket/prm", dtype="float32", max_model_len=1024)
VERIFIER = SeparatorPrm(separator="\n\n")
PROBLEM = Problem("p", "multiply 36 7 28 12 mod 47", "0")
SIDES: Mapping[str, EngineSettings] = {
    "vllm": VllmEngine.configure(runner="pooling", pooler_config={"tok_pooling_type": "ALL"}),
    "transformers": TransformersReader(device="cpu"),
}
NUM_GROWING_STEPS = 40


def steps_of(seed: int, num_steps: int) -> list[str]:
    """Return steps that look like the reasoner's, different for every seed."""
    numbers = random.Random(seed)
    return [
        " {} * {} = {} : {} {}\n\n".format(*(numbers.randrange(47) for _ in range(5)))
        for _ in range(num_steps)
    ]


def handle_on(engine: AnyEngine) -> MeteredModel:
    """Return a metered handle on which `engine` plays the verifier."""
    served = Served(PRM, Codec(PRM), engine)
    roles = {"policy": served, "verifier": served}
    return MeteredModel(roles, Meter("p", time.monotonic), Task(), run_seed=0)


async def steps_per_s(engine: AnyEngine, traces: Sequence[Sequence[str]]) -> float:
    """Score every trace once, all at once, from an empty prefix cache."""
    await engine.forget()
    llm = handle_on(engine)
    began_s = time.monotonic()
    scores = await together(VERIFIER.score_steps(PROBLEM, steps, llm, num_known=0) for steps in traces)
    return sum(map(len, scores)) / (time.monotonic() - began_s)


async def growing(engine: AnyEngine) -> tuple[int, int]:
    """Score a trace after each of its steps; return the tokens asked for and those computed."""
    await engine.forget()
    llm = handle_on(engine)
    trace = llm.start(PROBLEM)
    async with metered_verifier(VERIFIER, llm) as verifier:
        assert verifier is not None
        for step in steps_of(0, NUM_GROWING_STEPS):
            trace += step
            await verifier.score(PROBLEM, [trace])
    asked = sum(call.num_prompt_tokens for call in llm.meter.calls)
    return asked, asked - sum(call.num_cached_tokens for call in llm.meter.calls)


async def main(num_traces: int, num_steps: int, num_rounds: int) -> None:
    """Measure both sides in turn and print the ratio of their best rounds."""
    traces = [steps_of(seed, num_steps) for seed in range(num_traces)]
    best: dict[str, float] = {}
    for name, settings in SIDES.items():
        async with settings.start(PRM) as engine:
            rounds = [await steps_per_s(engine, traces) for _ in range(num_rounds + 1)][1:]
            best[name] = max(rounds)
            print(f"{name}: {best[name]:,.0f} steps per second (best of {num_rounds} rounds)")
            if name == "vllm":
                asked, computed = await growing(engine)
                print(
                    f"a trace scored after each of {NUM_GROWING_STEPS} steps: {asked:,} tokens asked, "
                    f"{computed:,} computed ({asked / computed:.1f} times fewer)"
                )
    print(f"vllm / transformers: {best['vllm'] / best['transformers']:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="throughput of scoring")
    parser.add_argument("--num-traces", type=int, default=200)
    parser.add_argument("--num-steps", type=int, default=12)
    parser.add_argument("--num-rounds", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(main(given.num_traces, given.num_steps, given.num_rounds))
