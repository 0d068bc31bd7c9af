"""Whether noise looks like regret: `python -m benchmarks.null_regret`.

Pairs of strategies that are equally accurate and equally dear; a cell's runs share one factor, as a machine's
do. Then the same with one of each pair dearer, which should be found.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tts_eval.analysis.cells import Cells
from tts_eval.analysis.frames import Frames
from tts_eval.analysis.regret import regret

RUN_NOISE = 0.14  # of the logarithm, as measured between runs that drew the same samples
NUM_PAIRS = 4
NUM_PROBLEMS = 100
SYSTEMS = ("tta_s_p50", "tta_s_p99", "usd_per_problem", "usd_per_correct")


def world(
    random: np.random.Generator, *, repeats: int, excess: float, run_noise: float = RUN_NOISE
) -> Frames:
    """Return runs of pairs of cells: the first takes fewer tokens, and `excess` more time and dollars.

    Both give the same answers with the same seed, as two ways of choosing among the same samples nearly do.
    """
    difficulty = random.normal(size=NUM_PROBLEMS)
    runs, problems = [], []
    for level in range(NUM_PAIRS):
        chance = 1 / (1 + np.exp(1.5 * difficulty - 1.2 * (level - 1.5)))
        answers = [random.random(NUM_PROBLEMS) < chance for _ in range(repeats)]
        for twin in range(2):
            for seed in range(repeats):
                name = f"{level}{'ab'[twin]}"
                factor = np.exp(run_noise * random.normal() + 0.7 * level) * (1 + excess * (twin == 0))
                seconds = factor * np.exp(0.6 * difficulty + 0.6 * random.normal(size=NUM_PROBLEMS))
                runs.append(_run(f"{name}/{seed}", name, seed))
                problems.append(
                    pd.DataFrame(
                        {
                            "run": f"{name}/{seed}",
                            "cell": name,
                            "problem": [f"p{number}" for number in range(NUM_PROBLEMS)],
                            "level": 1,
                            "error": None,
                            "is_correct": answers[seed],
                            "num_generated_tokens": 100.0 * 2**level + 10 * twin,
                            "tta_s": seconds,
                            "usd": seconds / 100,
                            "joules": np.nan,
                        }
                    )
                )
    return Frames(pd.DataFrame(runs).set_index("run"), pd.concat(problems, ignore_index=True))


def _run(run: str, cell: str, seed: int) -> dict[str, object]:
    labels = dict.fromkeys(("strategy", "verifier", "engine", "speculation", "hardware", "model"), "m")
    return {
        "run": run,
        "cell": cell,
        "seed": seed,
        **labels,
        "is_open_load": False,
        "load": "concurrent",
        "provenance": "measured",
        "task": "t",
        "fingerprint": "sha256:0",
        "num_problems": NUM_PROBLEMS,
        "without_accuracy": "",
        "served_by": {},
        "flops_per_problem.total": np.nan,
    }


def regrets(
    system: str, *, repeats: int, excess: float = 0.0, num_trials: int = 100, run_noise: float | None = None
) -> pd.DataFrame:
    """Return the rows of `regret` of so many worlds; `trial` counts them."""
    random = np.random.default_rng(0)
    tables = []
    for trial in range(num_trials):
        cells = Cells.of(world(random, repeats=repeats, excess=excess), run_noise=run_noise)
        tables.append(regret(cells, compute="tokens_per_problem", system=system).assign(trial=trial))
    return pd.concat(tables)


def main() -> None:
    """Print shares of compute-frontier cells said to have regret, where none has and where some have 30%."""
    print(f"{NUM_PROBLEMS} problems, run noise {RUN_NOISE}; shares of the cells on the compute frontier")
    print(f"{'axis':<18}{'repeats':>8}{'noise':>9}{'null: above 0':>15}{'proven':>8}{'30%: proven':>13}")
    for system in SYSTEMS:
        for repeats, noise in ((1, None), (1, RUN_NOISE), (2, None), (3, None), (5, None)):
            null = regrets(system, repeats=repeats, run_noise=noise)
            some = regrets(system, repeats=repeats, excess=0.3, run_noise=noise)
            dearer = some[some.index.str.endswith("a")]
            source = "stated" if noise else "unknown" if repeats == 1 else "repeats"
            print(
                f"{system:<18}{repeats:>8}{source:>9}{(null['regret'] > 0).mean():>15.3f}"
                f"{null['is_proven'].mean():>8.3f}{dearer['is_proven'].mean():>13.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
