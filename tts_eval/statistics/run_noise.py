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
    def of(cls, figures: Sequence[Floats]) -> RunNoise | None:
        """Return what repeats tell: `figures` holds a cell's figure, a value a run; None without any repeat.

        Pooled over cells, whose machine is the same: three repeats of one cell alone would tell little.
        """
        repeated = [np.log(values) for values in figures if len(values) > 1 and (values > 0).all()]
        degrees_of_freedom = sum(len(values) - 1 for values in repeated)
        if not degrees_of_freedom:
            return None
        squares = sum(float(((values - values.mean()) ** 2).sum()) for values in repeated)
        return cls(math.sqrt(squares / degrees_of_freedom), float(degrees_of_freedom))

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
