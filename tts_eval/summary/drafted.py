"""The calls of a run with all drafts known: what every count of tokens and FLOPs goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tts_eval.rundir.directory import RunDirectory
from tts_eval.spend import Call
from tts_eval.summary.drafts import with_drafts
from tts_eval.summary.gauges import rises_of


def drafted_calls(
    directory: RunDirectory, sessions: Mapping[str, int], manifest: Mapping[str, Any]
) -> tuple[list[Call], list[Call]]:
    """Return the calls of the problems in `sessions`, and those of the fill beside them.

    The engine's counters, from which drafts that it did not report are worked out, have both.
    """
    calls, fill_calls = directory.calls_of(sessions), directory.calls(directory.fills())
    if manifest["drafting"] is None:
        return calls, fill_calls
    roles = manifest["sessions"][-1]["engine_roles"][0]
    drafted = with_drafts([*calls, *fill_calls], rises_of(directory.gauges()), roles=roles)
    return list(drafted[: len(calls)]), list(drafted[len(calls) :])
