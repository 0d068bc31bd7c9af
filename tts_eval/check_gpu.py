"""`python -m tts_eval.check_gpu`: what this machine does with models of random weights, part by part.

Each part is a program of its own with a time limit; check_gpu.json is written after each. The measured cells
are ordinary runs: `python -m tts_eval.plan plan.calibrate=FOLDER/throughput` takes them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

DEFAULT_S = 470.0


def main(arguments: Sequence[str]) -> int:
    """Check the machine; 0 if no part has failed or was cut."""
    parser = argparse.ArgumentParser(prog="python -m tts_eval.check_gpu", description=__doc__)
    parser.add_argument("--cpu", action="store_true", help="the parts that a machine without a GPU can run")
    parser.add_argument("--only", default="", metavar="PART,...", help="these parts and no others")
    parser.add_argument("--skip", default="", metavar="PART,...", help="all but these parts")
    parser.add_argument("--seconds", type=float, default=DEFAULT_S, help="time for all parts (%(default)s)")
    parser.add_argument("--out", type=Path, help="folder for all results (outputs/check_gpu/<time>)")
    parser.add_argument("--list", action="store_true", help="print the parts and end")
    given = parser.parse_args(arguments)

    from rich.console import Console

    from tts_eval.checking.part import Status
    from tts_eval.checking.planned_parts import Scale, parts
    from tts_eval.checking.session import FILE, PLAIN_WIDTH, check, print_results
    from tts_eval.engines.vllm.platform import is_cpu, num_visible_gpus

    num_gpus = 0 if given.cpu else num_visible_gpus()
    if not given.cpu and (is_cpu() or not num_gpus):
        print("tts_eval.check_gpu: no GPU, or vLLM's CPU build; give --cpu", file=sys.stderr)
        return 1
    folder = (given.out or Path("outputs", "check_gpu", f"{datetime.now():%Y-%m-%d_%H-%M-%S}")).resolve()
    planned = list(parts(folder, Scale.of(folder / "models", on_gpu=not given.cpu)))
    names = [part.name for part in planned]
    only, skip = ([name for name in each.split(",") if name] for each in (given.only, given.skip))
    if unknown := [name for name in (*only, *skip) if name not in names]:
        print(f"tts_eval.check_gpu: no part {unknown[0]!r}; allowed: {', '.join(names)}", file=sys.stderr)
        return 1
    if given.list:
        for part in planned:
            print(f"{part.name:12} {part.shows}")
        return 0
    results = check(
        planned,
        folder,
        num_devices=len(os.sched_getaffinity(0)) if given.cpu else num_gpus,
        on_cpu=given.cpu,
        seconds=given.seconds,
        say=lambda line: print(line, file=sys.stderr, flush=True),
        only=only,
        skip=skip,
    )
    print_results(results, console=Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH))
    print(f"results: {folder / FILE}", file=sys.stderr)
    return 1 if any(result.status in (Status.FAILED, Status.CUT) for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
