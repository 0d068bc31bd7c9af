"""The audit of one run: all invariants, and its summary worked out again from its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tts_eval.auditing.engine_counts import check_engine_counts
from tts_eval.auditing.lines import check_lines, strays
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.manifest import Manifest
from tts_eval.rundir.schema import plain
from tts_eval.spend import Call
from tts_eval.summary.check_counts import check_counts
from tts_eval.summary.drafts import drafted_calls
from tts_eval.summary.evidence import Evidence, differing
from tts_eval.summary.invariants import inconsistencies
from tts_eval.summary.summarizing import summarize
from tts_eval.summary.summary import SUMMARY, Summary


def audit(folder: Path) -> tuple[list[str], list[str]]:
    """Return what does not add up in the run in `folder`, and remarks on what is not counted.

    Raises ValueError where there is no finished run, or one of another schema.
    """
    directory = RunDirectory(folder)
    manifest, stored = directory.manifest(), directory.read(SUMMARY, dict[str, Any])  # with all it may hold
    if stored is None:
        raise ValueError(f"{folder}: the run is not finished (summary.json is missing)")
    problems, calls = directory.all_outcomes(), directory.all_calls()
    faults = [
        *check_lines(problems, calls),
        *_inconsistencies(directory, manifest, calls),
        *_changed(stored, plain(summarize(directory))),
    ]
    return (
        list(dict.fromkeys(faults)),
        [f"{count} calls {what} are in no figure" for what, count in strays(problems, calls).items()],
    )


def _inconsistencies(
    directory: RunDirectory, manifest: Manifest, calls: Sequence[tuple[int, Call]]
) -> Iterator[str]:
    try:
        summary = directory.read(SUMMARY, Summary)
    except ValueError as error:  # a figure is nothing that it could be, as half a problem
        yield str(error)
        return
    assert summary is not None, "it was read before"
    outcomes = directory.outcomes()
    sessions = {outcome.problem_id: outcome.session for outcome in outcomes}
    drawn, _ = drafted_calls(directory, sessions, manifest)
    evidence = Evidence(manifest, summary, outcomes, drawn)
    if manifest.is_replay:  # has neither times nor counters
        yield from check_counts(evidence)
    else:
        yield from inconsistencies(evidence)
        last_read_s = {session: at_s for session, at_s, _ in directory.machine()}
        yield from check_engine_counts(manifest, summary.gauges, calls, last_read_s=last_read_s)


def _changed(stored: Mapping[str, Any], again: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Hold a stored summary against the same one worked out again, key by key."""
    for key in dict.fromkeys((*stored, *again)):
        name = f"{prefix}{key}"
        if key not in stored or key not in again:
            yield f"summary {name}: is {'missing' if key in again else 'unknown'}"
        elif isinstance(stored[key], Mapping) and isinstance(again[key], Mapping):
            yield from _changed(stored[key], again[key], f"{name}.")
        elif isinstance(stored[key], list) and isinstance(again[key], list):
            yield from _changed(dict(_numbered(stored[key])), dict(_numbered(again[key])), f"{name}.")
        else:
            yield from differing(f"summary {name}, worked out again", stored[key], again[key])


def _numbered(values: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((str(place), value) for place, value in enumerate(values))
