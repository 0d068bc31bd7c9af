"""Two workers say what one says, and give everything back when they end."""

from __future__ import annotations

from contextlib import suppress

import psutil
import pytest

from tests.engines.test_shutdown import children
from tests.engines.test_speculating import at_once, requests
from tts_eval.check_speculation import differences
from tts_eval.engines.protocol import Engine
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.model import Model

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


def memory_bytes() -> int:
    """Return the memory of this process and all below it."""
    total = psutil.Process().memory_info().rss
    for child in children():
        with suppress(psutil.NoSuchProcess):  # it has just ended
            total += child.memory_info().rss
    return total


async def test_tensor_parallel_samples_are_those_of_one_worker(engine: Engine, tiny: Model) -> None:
    asked = requests(12)
    expected = await at_once(engine, asked)
    processes_before, memory_before = children(), memory_bytes()
    settings = VllmEngine(tensor_parallel_size=2)
    settings.check(tiny)
    async with settings.start(tiny) as parallel:
        found = await at_once(parallel, asked)
        assert parallel.facts.settings["tensor_parallel_size"] == 2
        assert parallel.facts.num_gpus == 1  # one machine, whatever its workers
        assert len(children() - processes_before) >= 2
        memory_held = memory_bytes()

    assert differences(expected, found) == []
    _, alive = psutil.wait_procs(children() - processes_before, timeout=10)
    assert alive == []
    assert memory_bytes() - memory_before < 0.2 * (memory_held - memory_before)
