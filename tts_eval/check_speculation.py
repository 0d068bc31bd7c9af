"""`python -m tts_eval.check_speculation`: whether speculation leaves a model's greedy samples as they were.

Two engines, one after the other, are asked for the same samples; only one of them drafts. In half precision
two nearly equal logits may swap places with the size of a batch, drafts or no drafts: samples that part
late and rarely are no proof of a fault.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from itertools import takewhile

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from tts_eval.command.complaint import complaint
from tts_eval.command.compose import part_of
from tts_eval.engines.protocol import Engine
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.llm.tokenizer import Codec
from tts_eval.model import Model
from tts_eval.options import CONF
from tts_eval.protocols import Task
from tts_eval.records import Sampling
from tts_eval.requests import Completion, Request
from tts_eval.summary.gauges import gauge_figures

USAGE = """usage: python -m tts_eval.check_speculation speculation=ngram [model=... task=... engine.NAME=...]

Draws greedy samples with and without drafts; exit code 1 unless all of them are equal. Takes the overrides of
`python -m tts_eval` (its --help lists them)."""
NUM_PROBLEMS = 64
MAX_TOKENS = 512


def main(arguments: Sequence[str]) -> int:
    """Compare what `arguments` configure with plain decoding; 0 if all samples are equal."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE)
        return 0
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return asyncio.run(_compare(compose("config", list(arguments))))
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        print(f"tts_eval.check_speculation: {complaint(error)}", file=sys.stderr)
        return 1


async def _compare(config: DictConfig) -> int:
    model: Model = part_of(config, "model")
    task: Task = part_of(config, "task")
    plain: VllmEngine = part_of(config, "engine")
    speculation = part_of(config, "speculation")
    if speculation is None:
        raise ValueError("nothing differs from plain decoding; give speculation=ngram, draft, ...")
    drafting = plain.with_speculation(speculation)
    drafting.check(model)
    prompts = [Codec(model).prompt(problem.question) for problem in list(task.problems())[:NUM_PROBLEMS]]
    async with plain.start(model) as engine:
        expected = await greedy_samples(engine, prompts)
    async with drafting.start(model) as engine:
        before = engine.gauges()
        found = await greedy_samples(engine, prompts)
        figures = gauge_figures([(0, before), (0, engine.gauges())])
    print(
        f"{speculation['method']}: acceptance length {figures.mean_acceptance_length or 1:.2f}, "
        f"{figures.acceptance_rate or 0:.1%} of the drafted tokens accepted"
    )
    parted = differences(expected, found)
    for line in parted:
        print(line)
    print(f"{len(expected) - len(parted)} of {len(expected)} greedy samples are equal")
    return 1 if parted else 0


async def greedy_samples(engine: Engine, prompts: Sequence[tuple[int, ...]]) -> list[Completion]:
    """Draw one greedy sample a prompt, all at once."""
    room = engine.facts.max_model_len - max(map(len, prompts))
    requests = [Request(prompt, Sampling(), max_tokens=min(MAX_TOKENS, room)) for prompt in prompts]
    return list(await asyncio.gather(*map(engine.generate, requests)))


def differences(expected: Sequence[Completion], found: Sequence[Completion]) -> list[str]:
    """Return a line for each pair of samples that are not equal: where they part."""
    lines = []
    for number, (one, other) in enumerate(zip(expected, found, strict=True)):
        if one.token_ids != other.token_ids:
            pairs = zip(one.token_ids, other.token_ids, strict=False)
            num_equal = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            lines.append(f"sample {number} parts after {num_equal} of {len(one.token_ids)} tokens")
    return lines


if __name__ == "__main__":
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra's exceptions through, to be printed in one line
    sys.exit(main(sys.argv[1:]))
