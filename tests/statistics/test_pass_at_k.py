"""k of n samples, against writing out every choice and against another implementation."""

from itertools import combinations
from math import ceil

import numpy as np
import pytest

from tts_eval.statistics.pass_at_k import g_pass_at_k, pass_at_k, pass_hat_k

CASES = [(n, c, k) for n in (1, 4, 7) for c in range(n + 1) for k in range(1, n + 1)]


def chosen(n: int, c: int, k: int) -> list[int]:
    """Return, for every choice of k samples, how many of them are right."""
    return [sum(sample < c for sample in choice) for choice in combinations(range(n), k)]


@pytest.mark.parametrize(("n", "c", "k"), CASES)
def test_every_choice_written_out(n: int, c: int, k: int) -> None:
    num_right = np.array(chosen(n, c, k))
    assert pass_at_k(n, c, k) == pytest.approx(np.mean(num_right >= 1), abs=1e-12)
    assert pass_hat_k(n, c, k) == pytest.approx(np.mean(num_right == k), abs=1e-12)
    for tau in (0, 0.25, 0.5, 0.75, 1):
        expected = np.mean(num_right >= max(1, ceil(tau * k)))
        assert g_pass_at_k(n, c, k, tau=tau) == pytest.approx(expected, abs=1e-12)


def test_seven_tenths_of_ten_are_seven() -> None:
    """0.7 * 10 is 7.000000000000001 to a computer; eight must not be asked for."""
    assert g_pass_at_k(10, 7, 10, tau=0.7) == pytest.approx(1)
    assert g_pass_at_k(10, 6, 10, tau=0.7) == pytest.approx(0)


def test_many_samples_neither_overflow_nor_cancel() -> None:
    assert pass_at_k(10_000, 1, 100) == pytest.approx(0.01, abs=1e-12)
    assert pass_hat_k(10_000, 9_999, 100) == pytest.approx(0.99, abs=1e-12)


def test_more_than_were_sampled_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="k must be a whole number from 1 to 4, the fewest samples; not 5"):
        pass_at_k([8, 4], [1, 1], 5)
    with pytest.raises(
        ValueError, match=r"k must be a whole number from 1 to 4, the fewest samples; not 2\.5"
    ):
        pass_at_k([8, 4], [1, 1], 2.5)  # type: ignore[arg-type]


def test_no_more_can_be_right_than_were_sampled() -> None:
    for estimate in (pass_at_k, pass_hat_k, lambda n, c, k: g_pass_at_k(n, c, k, tau=0.5)):
        for num_correct in (5, -1):
            with pytest.raises(ValueError, match="must lie from 0 to its number of samples"):
                estimate([8, 4], [1, num_correct], 2)


def test_scorio_says_the_same() -> None:
    scorio = pytest.importorskip("scorio.eval")
    right = np.random.default_rng(0).random((40, 16)) < np.linspace(0, 1, 40)[:, None]
    n, c = np.full(40, 16), right.sum(axis=1)
    for k in range(1, 17):
        assert pass_at_k(n, c, k).mean() == pytest.approx(scorio.pass_at_k(right.astype(int), k), abs=1e-9)
        assert pass_hat_k(n, c, k).mean() == pytest.approx(scorio.pass_hat_k(right.astype(int), k), abs=1e-9)
        for tau in (0.25, 0.5, 1.0):
            theirs = scorio.g_pass_at_k_tau(right.astype(int), k, tau)
            assert g_pass_at_k(n, c, k, tau=tau).mean() == pytest.approx(theirs, abs=1e-9)
