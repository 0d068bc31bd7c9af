"""The table of docs/strategies.md: what each cell of a sweep reached, at what spend and how soon.

Repeats of a cell with other seeds are taken together. Run it as `python -m benchmarks.catalogue DIR
[--reference CELL] [--samples CELL]`; differences are paired by problem. With `--samples`, a cell of
independent scored samples, every other cell stands beside the best of as many of them as cost its tokens.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

import numpy as np

import tts_eval
from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.statistics.best_of_k import best_of_k
from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import accuracy_ci95, percentile_ci95

HARD = 4  # the level from which problems count as hard
EQUAL_TOKENS = ("cell", "tokens", "k", "- best of k", "levels 4-5")
HEADER = ("cell", "seeds", "accuracy [95%]", "levels 4-5", "tokens", "tta p50", "tta p99")


def short(name: str) -> str:
    """Return the name of the cell's experiment or strategy, where it has one."""
    found = re.search(r"(?:experiment/\w+|strategy)=([^,]+)", name)
    return found[1] if found else name


def rows_of(cells: Cells, reference: str | None) -> list[tuple[str, ...]]:
    """Return a row a cell, the most accurate first."""
    axes = ("tokens_per_problem", "tta_s_p50", "tta_s_p99")
    tokens, p50, p99 = (cells.cost(axis_of(axis)) for axis in axes)
    names = [short(name) for name in cells.names]
    against = None if reference is None else cells.accuracies[names.index(reference)]
    rows = list[tuple[str, ...]]()
    for cell in np.argsort(-cells.accuracy):
        low, high = cells.accuracy_interval(int(cell))
        right = cells.accuracies[cell]
        hard = right[cells.levels >= HARD]
        hard_low, hard_high = accuracy_ci95(hard, num_repeats=cells.num_repeats[cell]) or (0.0, 1.0)
        row = (
            names[cell],
            str(cells.num_repeats[cell]),
            f"{right.mean():.3f} [{low:.3f}, {high:.3f}]",
            f"{hard.mean():.3f} [{hard_low:.3f}, {hard_high:.3f}]",
            f"{tokens[cell]:,.0f}",
            f"{p50[cell]:.2f} s",
            f"{p99[cell]:.2f} s",
        )
        rows.append(row if against is None else (*row, difference(cells, right - against)))
    return rows


def beside_best_of_k(cells: Cells, samples: str) -> list[tuple[str, ...]]:
    """Return a row a cell: its tokens, and what it is ahead of the best of k samples that cost as many.

    Accuracies of the best of k are exact for whole k; between two of them, as if the larger were drawn with
    the chance that makes the tokens equal. Cells beyond the samples that there are stand beside all of them.
    """
    names = [short(name) for name in cells.names]
    cell = cells.names[names.index(samples)]
    drawn = cells.frames.of_runs(cells.frames.runs.index[cells.frames.runs["cell"] == cell]).candidates
    scores = drawn["score"].where(drawn["answer"].notna(), -np.inf).astype(float)
    of_each = drawn.assign(score=scores).groupby(["run", "problem"], sort=False)
    best = {key: best_of_k(own["score"], own["is_correct"]) for key, own in of_each}
    num_samples = min(len(values) for values in best.values())
    runs = drawn["run"].unique()
    failed = np.zeros(num_samples)  # a problem that failed has no samples
    each = [[best.get((run, p), failed)[:num_samples] for p in cells.problems] for run in runs]
    at_k = np.array(each).mean(axis=0)
    tokens = cells.cost(axis_of("tokens_per_problem"))
    k = np.clip(tokens / drawn["num_tokens"].mean(), 1, num_samples)
    rows = list[tuple[str, ...]]()
    for place in np.argsort(-cells.accuracy):
        low = min(int(k[place]), num_samples - 1)
        share = k[place] - low
        gains = cells.accuracies[place] - (1 - share) * at_k[:, low - 1] - share * at_k[:, low]
        hard = np.where(cells.levels >= HARD, gains, 0.0) / (cells.levels >= HARD).mean()
        figures = f"{tokens[place]:,.0f}", f"{k[place]:.2f}"
        rows.append((names[place], *figures, difference(cells, gains), difference(cells, hard)))
    return rows


def difference(cells: Cells, gains: Floats) -> str:
    """Return the mean paired difference with its bootstrap interval."""
    low, high = percentile_ci95(cells.weights @ gains / len(gains))
    return f"{gains.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    """Print the table of each group of comparable runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directories", nargs="+", metavar="DIR")
    parser.add_argument("--reference", metavar="CELL", help="pair every cell with this one")
    parser.add_argument("--samples", metavar="CELL", help="scored samples to take the best of k from")
    options = parser.parse_args()
    header = (*HEADER, f"- {options.reference}") if options.reference else HEADER
    for name, frames in tts_eval.load(*options.directories).groups().items():
        cells = Cells.of(frames)
        print(name)
        show(header, rows_of(cells, options.reference))
        if options.samples:
            show(EQUAL_TOKENS, beside_best_of_k(cells, options.samples))


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    print(f"\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
