"""What fewer samples would have given: the estimators at every k, read off one run of independent samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tts_eval.analysis.frames import Frames
from tts_eval.engines.replay.recorded_run import read_run
from tts_eval.statistics.best_of_k import best_of_k
from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import accuracy_ci95
from tts_eval.statistics.pass_at_k import pass_at_k, pass_hat_k
from tts_eval.statistics.vote_at_k import maj_at_k, weighted_vote_at_k

Samples = pd.DataFrame  # the candidates of one problem


def at_k(frames: Frames, run: str, *, ks: Sequence[int] | None = None) -> pd.DataFrame:
    """Return `estimator`, `k`, `value`, `low`, `high`, `tokens`: pass@k, pass^k, maj@k, best@k, weighted@k.

    `run` is one of `frames.runs`; raises ValueError where its candidates are not independent samples. The
    last two estimators are there where every candidate has a score, weighted@k where all are in [0, 1]. By
    default the k are the powers of two up to the fewest samples that a problem has, and that number. `tokens`
    is k times a problem's mean.
    """
    num_samples = read_run(run).num_samples
    ks = _powers_of_two(num_samples) if ks is None else ks
    outside = [k for k in ks if not 1 <= k <= num_samples]
    if outside:
        raise ValueError(f"k must be a whole number from 1 to {num_samples}, the samples; not {outside[0]!r}")
    mine = frames.candidates[frames.candidates["run"] == run]
    problems = [samples for _, samples in mine.groupby("problem", sort=False)]
    tokens = float(np.mean([samples["num_tokens"].mean() for samples in problems]))
    estimators: dict[str, Callable[[Samples], Floats]] = {
        "pass@k": lambda s: np.array([pass_at_k(len(s), s["is_correct"].sum(), k)[0] for k in ks]),
        "pass^k": lambda s: np.array([pass_hat_k(len(s), s["is_correct"].sum(), k)[0] for k in ks]),
        "maj@k": lambda s: maj_at_k(_classes(s), _right_class(s))[np.array(ks) - 1],
    }
    if mine["score"].notna().all():
        estimators["best@k"] = lambda s: best_of_k(_scores(s), s["is_correct"])[np.array(ks) - 1]
        if mine["score"].between(0, 1).all():
            estimators["weighted@k"] = lambda s: np.array(
                [weighted_vote_at_k(_classes(s), s["score"].tolist(), _right_class(s), k) for k in ks]
            )
    rows = []
    for name, estimate in estimators.items():
        values = np.stack([estimate(samples) for samples in problems])
        for column, k in enumerate(ks):
            # Between problems the values vary like accuracies over many repeats.
            low, high = accuracy_ci95(values[:, column], num_repeats=num_samples) or (np.nan, np.nan)
            rows.append((name, k, float(values[:, column].mean()), low, high, k * tokens))
    return pd.DataFrame(rows, columns=["estimator", "k", "value", "low", "high", "tokens"])


def _powers_of_two(most: int) -> list[int]:
    powers = [2**i for i in range(most.bit_length()) if 2**i <= most]
    return powers if powers[-1] == most else [*powers, most]


def _classes(samples: Samples) -> list[int | None]:
    numbers: list[Any] = samples["class"].tolist()
    return [None if number < 0 else int(number) for number in numbers]


def _right_class(samples: Samples) -> int | None:
    """Return the class that states the right answer; of several found equal to it, the largest."""
    right = samples.loc[samples["is_correct"] & (samples["class"] >= 0), "class"]
    return None if right.empty else int(right.value_counts().index[0])


def _scores(samples: Samples) -> Floats:
    """Return the scores, those of samples without an answer below all others: these are never chosen."""
    return np.where(samples["answer"].notna(), samples["score"].astype(float), -np.inf)
