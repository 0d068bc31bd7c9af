"""Does a verifier find the first wrong step? On files of worked solutions with labels.

Run it as `python -m benchmarks.first_errors FILE LAYOUT [--threshold 0.5] [verifier=...]`; further
arguments are those of `tts_eval.check_verifier`.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from benchmarks.worked_steps import LOADERS, WorkedSteps, load
from tts_eval.command.compose import part_of
from tts_eval.command.examination import examine
from tts_eval.concurrency import together
from tts_eval.llm.call import Served
from tts_eval.llm.tokenizer import Codec
from tts_eval.options import CONF
from tts_eval.statistics.first_error import FirstErrors, first_error, first_errors


async def find(
    verifier: Any, roles: dict[str, Served], solutions: Sequence[WorkedSteps], *, threshold: float
) -> FirstErrors:
    """Score all solutions at once, and compare the first score below `threshold` with the label."""
    examined = await together(examine(verifier, roles, s.question, s.steps) for s in solutions)
    found = [first_error(each.scores, threshold) for each in examined]
    return first_errors(found, [solution.first_wrong for solution in solutions])


async def main(file: Path, layout: str, overrides: Sequence[str], *, threshold: float) -> None:
    """Print the figures as one line."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("check_verifier", list(overrides))
    verifier = part_of(config, "verifier")
    role = config.roles[verifier.role]
    model, engine = part_of(role, "model"), part_of(role, "engine")
    solutions = load(file, layout)
    async with engine.start(model) as running:
        served = Served(model, Codec(model), running)
        result = await find(
            verifier, {"policy": served, verifier.role: served}, solutions, threshold=threshold
        )
    print(f"{model.name} on {file.name}, threshold {threshold:g}: {asdict(result)}")


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description="the first wrong step of worked solutions")
    parser.add_argument("file", type=Path)
    parser.add_argument("layout", choices=LOADERS)
    parser.add_argument("--threshold", type=float, default=0.5, help="a step that scores below it is wrong")
    return parser.parse_known_args()


if __name__ == "__main__":
    given, overrides = _arguments()
    asyncio.run(main(given.file, given.layout, overrides, threshold=given.threshold))
