"""The checks that need no file: made whenever a summary is written, and by the audit of a run's folder."""

from __future__ import annotations

from collections.abc import Iterator

from tts_eval.summary.check_counts import check_counts
from tts_eval.summary.check_spends import check_spends
from tts_eval.summary.check_totals import check_totals
from tts_eval.summary.evidence import Evidence


def inconsistencies(evidence: Evidence) -> Iterator[str]:
    """Yield a line for each figure that does not follow from the records of a measured run."""
    yield from check_counts(evidence)
    yield from check_spends(evidence)
    yield from check_totals(evidence)
