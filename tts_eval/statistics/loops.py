"""Whether a text goes round in circles."""

from __future__ import annotations

MOST_CHARS = 4000  # of the end that is looked at


def times_repeated(text: str, *, min_chars: int) -> float:
    """Return how often the unit stands at the end of `text` that fills the longest such stretch, 1 for none.

    A stretch counts if it has at least `min_chars` characters and two units at least; the last one may be
    torn. It is found by the failure function of Knuth, Morris and Pratt (SIAM Journal on Computing 6, 1977)
    on the reversed text: the shortest period of every ending of it.
    """
    end = text[: -MOST_CHARS - 1 : -1]
    failure = [0] * len(end)
    longest, times, matched = 0, 1.0, 0
    for index in range(1, len(end)):
        while matched and end[index] != end[matched]:
            matched = failure[matched - 1]
        matched += end[index] == end[matched]
        failure[index] = matched
        length, period = index + 1, index + 1 - matched
        if length >= min_chars and length >= 2 * period and length > longest:
            longest, times = length, length / period
    return times
