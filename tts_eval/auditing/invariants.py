"""The checks that need no file: made whenever a summary is written, and by the audit of a run's folder."""

from __future__ import annotations

from collections.abc import Iterator

from tts_eval.auditing.counts import check_counts
from tts_eval.auditing.evidence import Evidence
from tts_eval.auditing.spends import check_spends
from tts_eval.auditing.totals import check_totals


def inconsistencies(evidence: Evidence) -> Iterator[str]:
    """Yield a line for each figure that does not follow from the records of a measured run."""
    yield from check_counts(evidence)
    yield from check_spends(evidence)
    yield from check_totals(evidence)
