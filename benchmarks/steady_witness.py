"""Runs of 50 to 800 problems on a real engine at k = 32: do they agree about the dollars of that load?

    python -m benchmarks.steady_witness [OVERRIDE...]

The pocket model, greedy, on whichever machine this is; further overrides are those of `python -m tts_eval`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SIZES = (50, 100, 200, 800)
OVERRIDES = ("strategy=cot", "load=concurrent", "load.k=32", "tracking=none")
COLUMNS = ("mean_in_flight", "drain_share", "wall_s", "held_s", "generated_tokens_per_s", "usd_per_correct")


def run(folder: Path, num_problems: int, overrides: list[str]) -> dict[str, Any]:
    """Return the summary of one run of `num_problems` problems."""
    command = [sys.executable, "-m", "tts_eval", *OVERRIDES, f"task.limit={num_problems}", *overrides]
    subprocess.run([*command, f"hydra.run.dir={folder}"], check=True, stdout=subprocess.DEVNULL)
    return dict(json.loads((folder / "summary.json").read_text(encoding="utf-8")))


def main() -> None:
    """Print a row a run, and whether its interval holds the dollars per correct answer of the longest."""
    with tempfile.TemporaryDirectory() as folder:
        runs = {num: run(Path(folder) / str(num), num, sys.argv[1:]) for num in SIZES}
    longest = runs[max(SIZES)]["usd_per_correct"]
    print(f"{'N':>4} " + " ".join(f"{name:>22}" for name in COLUMNS) + f" {'to longest':>10} holds it")
    for num, summary in runs.items():
        low, high = (float(end) for end in summary["usd_per_correct_ci95"])
        cells = " ".join(f"{summary[name]:22.4g}" for name in COLUMNS)
        ratio = summary["usd_per_correct"] / longest
        print(f"{num:4} {cells} {ratio:10.3f} {'yes' if low <= longest <= high else 'no'}")


if __name__ == "__main__":
    main()
