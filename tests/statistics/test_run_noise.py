"""How far a machine repeats itself, from runs that were drawn with a known noise."""

from __future__ import annotations

import numpy as np
import pytest

from tts_eval.statistics.run_noise import RunNoise

ALIKE = np.ones((5, 3))  # resamples of problems in which runs do not differ


def test_the_deviation_is_pooled_over_cells() -> None:
    random = np.random.default_rng(0)
    figures = [(level * np.exp(0.14 * random.normal(size=3)), ALIKE * level) for level in (1, 10, 100) * 50]
    figures = [(runs, np.tile(runs, (5, 1))) for runs, _ in figures]
    noise = RunNoise.of(figures)
    assert noise is not None
    assert noise.degrees_of_freedom == 300
    assert noise.deviation == pytest.approx(0.14, rel=0.1)


def test_what_the_sampling_of_problems_does_is_no_noise_of_runs() -> None:
    random = np.random.default_rng(0)
    figures = []
    for _ in range(200):
        runs = np.exp(0.1 * random.normal(size=3))  # all of it from the problems
        figures.append((runs, runs * np.exp(0.1 * random.normal(size=(200, 3)))))
    noise = RunNoise.of(figures)
    assert noise is not None
    assert noise.deviation < 0.05


def test_without_repeats_it_is_unknown() -> None:
    assert RunNoise.of([(np.ones(1), np.ones((5, 1)))]) is None
    assert RunNoise.of([]) is None


def test_three_repeats_of_one_cell_say_little() -> None:
    few, stated = RunNoise(0.1, degrees_of_freedom=2), RunNoise(0.1)
    assert few.half_width(3) == pytest.approx(4.303 * 0.1 / 3**0.5, rel=1e-3)
    assert stated.half_width(3) == pytest.approx(1.96 * 0.1 / 3**0.5, rel=1e-3)
    assert np.quantile(few.draw(1, 3).mean(axis=2), 0.975) > 1.8 * np.quantile(
        stated.draw(1, 3).mean(axis=2), 0.975
    )
