"""The best-scored of k samples, against a table and against every choice written out."""

from itertools import combinations

import numpy as np
import pytest

from tts_eval.statistics.best_of_k import best_of_k

SCORES = [0.9, 0.9, 0.7, 0.7, 0.7, 0.5, 0.2, 0.1]
RIGHT = [0, 1, 1, 0, 1, 0, 1, 0]


def test_eight_samples_with_ties() -> None:
    expected = [0.5, 0.553571, 0.547619, 0.535714, 0.517857, 0.505952, 0.5, 0.5]
    assert best_of_k(SCORES, RIGHT) == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize("seed", range(8))
def test_every_choice_written_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, right = random.integers(0, 4, size=8) / 4, random.integers(0, 2, size=8)
    for k in range(1, 9):
        shares = []
        for choice in combinations(range(8), k):
            best = [i for i in choice if scores[i] == max(scores[list(choice)])]
            shares.append(np.mean(right[best]))
        assert best_of_k(scores, right)[k - 1] == pytest.approx(np.mean(shares), abs=1e-12)


def test_the_best_score_itself_is_expected_alike() -> None:
    """The mean of the largest of two of 1, 2 and 4 is (2 + 4 + 4) / 3."""
    assert best_of_k([1, 2, 4], [1, 2, 4]) == pytest.approx([7 / 3, 10 / 3, 4])


@pytest.mark.filterwarnings("error")
def test_samples_that_are_never_chosen_tie_among_themselves() -> None:
    """Of 1 and two of minus infinity, the two share what is chosen where 1 is not drawn."""
    assert best_of_k([1, -np.inf, -np.inf], [0, 1, 0]) == pytest.approx([1 / 3, 1 / 6, 0])


def test_a_thousand_samples_do_not_overflow() -> None:
    values = best_of_k(np.arange(1000), np.arange(1000) == 999)
    assert values == pytest.approx(np.arange(1, 1001) / 1000, abs=1e-9)  # the best is drawn k times in n
