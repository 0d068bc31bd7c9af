"""Votes among k samples, against tables, against every choice written out, and against drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest

from tts_eval.statistics.vote_at_k import maj_at_k, subsets, weighted_vote_at_k

A, B, C = 0, 1, 2
FOURTEEN = [A] * 5 + [B] * 4 + [C] * 2 + [None] * 3


def written_out(
    classes: Sequence[int | None], correct: int | None, k: int, weights: Sequence[float] | None = None
) -> float:
    """Return how often the right class wins, over every choice of k samples, a tie counting for its share."""
    won = 0.0
    choices = list(combinations(range(len(classes)), k))
    for choice in choices:
        votes: Counter[int] = Counter()
        for sample in choice:
            stated = classes[sample]
            if stated is not None:
                votes[stated] += 1 if weights is None else weights[sample]  # type: ignore[assignment]
        best = [name for name in votes if votes[name] == max(votes.values())]
        won += correct in best and 1 / len(best)
    return won / len(choices)


@pytest.mark.parametrize(
    ("correct", "expected"),
    [
        (A, [0.357143, 0.439560, 0.476190, 0.537463, 0.619880, 1]),
        (B, [0.285714, 0.351648, 0.360806, 0.364635, 0.348485, 0]),
    ],
)
def test_below_the_plurality_voting_first_helps_and_then_hurts(correct: int, expected: list[float]) -> None:
    votes = maj_at_k(FOURTEEN, correct)
    assert votes[[0, 1, 2, 4, 7, 13]] == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize("seed", range(12))
def test_every_choice_written_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    classes = [None if name == 0 else int(name) for name in random.integers(0, 5, size=9)]
    for correct in (1, 3, None):
        votes = maj_at_k(classes, correct)
        assert votes == pytest.approx([written_out(classes, correct, k) for k in range(1, 10)], abs=1e-12)


def test_sixty_four_samples_against_drawing() -> None:
    random = np.random.default_rng(1)
    classes: list[int | None] = [None if name == 0 else int(name) for name in random.integers(0, 9, size=64)]
    [exact] = maj_at_k(classes, 1)[[15]]
    wins = 0.0
    for _ in range(20_000):
        counts = Counter(classes[i] for i in random.choice(64, 16, replace=False))
        counts.pop(None, None)
        best = [name for name in counts if counts[name] == max(counts.values())]
        wins += (1 in best) / len(best)
    error = 0.5 / np.sqrt(20_000)
    assert abs(exact - wins / 20_000) < 4 * error


def test_two_hundred_and_fifty_six_samples_do_not_overflow() -> None:
    classes = [0] * 130 + [1] * 126
    votes = maj_at_k(classes, 0)
    assert votes[-1] == 1
    assert np.all(np.diff(votes[::2]) >= -1e-12)  # a majority's odds rise with every two further votes


def test_nobody_who_states_nothing_wins() -> None:
    assert maj_at_k([None, None], 0).tolist() == [0, 0]
    assert maj_at_k([None, None, 0], 0).tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert weighted_vote_at_k([None, None, 0], [9.0, 9.0, 0.1], 0, 3) == 1


def test_scorio_says_the_same_where_right_is_against_wrong() -> None:
    scorio = pytest.importorskip("scorio.eval")
    right = np.random.default_rng(0).random((40, 15)) < np.linspace(0, 1, 40)[:, None]
    ours = np.mean([maj_at_k([int(not r) for r in row], 0) for row in right], axis=0)
    for k in range(1, 16, 2):  # ties aside, a vote of two classes is their majority
        theirs = scorio.maj_at_k(right.astype(int), k)
        assert ours[k - 1] == pytest.approx(theirs, abs=1e-9)


def test_weights_all_alike_are_a_plain_vote() -> None:
    """Over random subsets, so within their error: at most 0.016, four times that here."""
    for k in (1, 3, 8):
        weighted = weighted_vote_at_k(FOURTEEN, [0.5] * 14, A, k)
        assert weighted == pytest.approx(maj_at_k(FOURTEEN, A)[k - 1], abs=0.064)
    assert weighted_vote_at_k(FOURTEEN, [0.5] * 14, A, 14) == 1


def test_a_heavy_minority_wins_a_weighted_vote() -> None:
    classes: list[int | None] = [A, A, B]
    assert weighted_vote_at_k(classes, [0.2, 0.2, 0.5], B, 3) == pytest.approx(1)
    assert weighted_vote_at_k(classes, [0.25, 0.25, 0.5], B, 3) == pytest.approx(0.5)
    assert written_out(classes, B, 3, [0.25, 0.25, 0.5]) == pytest.approx(0.5)


def test_everybody_draws_the_same_subsets() -> None:
    assert np.array_equal(subsets(16, 4), subsets(16, 4))
    assert all(len(set(drawn)) == 4 for drawn in subsets(16, 4).tolist())
    with pytest.raises(
        ValueError, match="k must be a whole number from 1 to 3, the number of samples; not 4"
    ):
        subsets(3, 4)
