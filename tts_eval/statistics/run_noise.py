"""How far a machine repeats itself: the run as a random effect on the logarithm of times and dollars.

All problems of a run share what the machine did that day: more problems say nothing of it, repeats do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from tts_eval.statistics.bootstrap import NUM_RESAMPLES, Floats


@dataclass(frozen=True, slots=True)
class RunNoise:
    """The standard deviation of the logarithm from run to run, and how well it is known."""

    deviation: float
    degrees_of_freedom: float = math.inf

    @classmethod
    def of(cls, figures: Sequence[tuple[Floats, Floats]]) -> RunNoise | None:
        """Return what repeats show; None without any repeat.

        `figures` holds, for each cell, its figure in each run, (num_runs,), and the same in resamples of the
        problems, (num_resamples, num_runs): as much as runs come to differ there they would differ without
        any noise of the machine, and that is taken off. Pooled over cells, whose machine is the same: three
        repeats of one cell alone would show little.
        """
        squares, degrees_of_freedom = 0.0, 0
        for values, resampled in figures:
            if len(values) < 2 or not (values > 0).all():
                continue
            own = np.log(values) - np.log(values).mean()
            logs = np.log(resampled[(resampled > 0).all(axis=1)])
            sampled = logs - logs.mean(axis=1, keepdims=True) - own
            squares += float((own**2).sum()) - float((sampled**2).sum(axis=1).mean())
            degrees_of_freedom += len(values) - 1
        if not degrees_of_freedom:
            return None
        return cls(math.sqrt(max(squares, 0.0) / degrees_of_freedom), float(degrees_of_freedom))

    def half_width(self, num_runs: int) -> float:
        """Return half of the 95% interval of the logarithm of a mean over `num_runs` runs."""
        t = float(stdtrit(min(self.degrees_of_freedom, 1e9), 0.975))
        return t * self.deviation / math.sqrt(num_runs)

    def draw(self, num_cells: int, num_runs: int) -> Floats:
        """Return the runs' deviations in each resample, (NUM_RESAMPLES, num_cells, num_runs).

        The standard deviation itself is drawn as well, once a resample, so that few repeats say little.
        """
        random = np.random.default_rng(1)
        effects = self.deviation * random.normal(size=(NUM_RESAMPLES, num_cells, num_runs))
        if math.isinf(self.degrees_of_freedom):
            return effects
        chi2 = random.chisquare(self.degrees_of_freedom, size=(NUM_RESAMPLES, 1, 1))
        return np.asarray(effects * np.sqrt(self.degrees_of_freedom / chi2))
