"""python -m tts_eval.train_difficulty RUN... out=FILE: learn from finished runs which questions are hard.

The score is as good as the problems it is trained on are like those it is used on; train it on a split that
nothing is reported on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
from scipy.stats import mannwhitneyu

from tts_eval.rundir.problems import solved_problems
from tts_eval.toolkit.difficulty import Vector, fit, predicted

NUM_FOLDS = 5
USAGE = "usage: python -m tts_eval.train_difficulty RUN... out=FILE"


def train(folders: Sequence[Path], out: Path) -> str:
    """Write the score learnt from the runs in `folders` to `out`; say how well it does on held-out problems.

    Raises ValueError if there is no run, or if everything or nothing failed.
    """
    examples = [example for folder in folders for example in _examples(folder)]
    questions, is_failed = [q for q, _ in examples], [failed for _, failed in examples]
    if len(set(is_failed)) < 2:
        raise ValueError(
            f"of {len(examples)} problems {sum(is_failed)} failed: nothing can be learnt from that"
        )
    auc = held_out_auc(questions, is_failed)
    document = {
        "weights": fit(questions, is_failed).tolist(),
        "runs": [str(folder) for folder in folders],
        "num_examples": len(examples),
        "held_out_auc": auc,
    }
    out.write_bytes(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
    share = sum(is_failed) / len(examples)
    return (
        f"{len(examples)} problems, {share:.1%} failed; AUC on held-out problems {auc:.3f}; written to {out}"
    )


def held_out_auc(questions: Sequence[str], is_failed: Sequence[bool]) -> float:
    """Return how often a failed problem scores above a solved one, each scored by a fit that had not seen it.

    Equal questions (of several seeds) stay in one fold.
    """
    numbers = {question: number for number, question in enumerate(dict.fromkeys(questions))}
    folds = np.array([numbers[question] % NUM_FOLDS for question in questions])
    failed, scores = np.array(is_failed), np.zeros(len(questions))
    for fold in range(NUM_FOLDS):
        seen, unseen = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(seen) and len(unseen):
            weights: Vector = fit([questions[i] for i in seen], [is_failed[i] for i in seen])
            scores[unseen] = predicted([questions[i] for i in unseen], weights)
    above = mannwhitneyu(scores[failed], scores[~failed]).statistic
    return float(above / (failed.sum() * (~failed).sum()))


def _examples(folder: Path) -> list[tuple[str, bool]]:
    """Return the questions of a run, each with whether it was not answered rightly."""
    return [(problem.question, not outcome.is_correct) for problem, outcome in solved_problems(folder)]


def main(arguments: Sequence[str]) -> int:
    """Train as `arguments` say; 0 if a file was written."""
    outs = [argument.removeprefix("out=") for argument in arguments if argument.startswith("out=")]
    folders = [Path(argument) for argument in arguments if not argument.startswith("out=")]
    if len(outs) != 1 or not folders:
        print(USAGE, file=sys.stderr)
        return 1
    try:
        print(train(folders, Path(outs[0])))
    except ValueError as error:
        print(f"tts_eval: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
