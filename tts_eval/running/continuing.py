"""What a folder holds before a run begins in it: nothing, a part of this very run, all of it, or another run.

Looked at before any model is loaded; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.manifest import Config, Manifest
from tts_eval.rundir.schema import plain
from tts_eval.running.cell import CheckedCell
from tts_eval.running.manifest import problems_of, weights_of
from tts_eval.summary.summarizing import summarize
from tts_eval.summary.summary import SUMMARY, Summary

MAY_DIFFER = (
    "tracking",
    "hardware",
)  # a run may be resumed on another machine: sessions are priced by their own
MAX_SHOWN = 4
UNSET = "(not set)"


def check_folder(checked: CheckedCell) -> None:
    """Raise ValueError, in one line, where the cell's folder holds anything but a part of this run."""
    directory = RunDirectory(checked.cell.directory)
    manifest = directory.found_manifest()
    if manifest is None:
        for name in ("problems.jsonl", "calls.jsonl"):
            if (directory.path / name).exists():
                raise ValueError(
                    f"{directory.path} holds {name} but no manifest.json: nobody knows what was run there; "
                    "give this run a folder of its own"
                )
        return
    found = list(_differences(manifest, checked))
    if found:
        more = f" and {len(found) - MAX_SHOWN} more" if len(found) > MAX_SHOWN else ""
        raise ValueError(
            f"{directory.path} holds another run: {'; '.join(found[:MAX_SHOWN])}{more}. "
            "Give this one a folder of its own"
        )


def finished_summary(checked: CheckedCell) -> Summary | None:
    """Return the summary of a run whose problems are all solved, None where some are left."""
    directory = RunDirectory(checked.cell.directory)
    if directory.found_manifest() is None:
        return None
    solved = {outcome.problem_id for outcome in directory.outcomes()}
    if any(problem.id not in solved for problem in checked.problems):
        return None
    try:
        summary = directory.read(SUMMARY, Summary)
    except ValueError:  # torn, and made again from the problems
        summary = None
    if summary is not None and summary.answers.num_problems == len(solved):
        return summary
    summary = summarize(directory)
    directory.write(SUMMARY, summary)
    return summary


def _differences(manifest: Manifest, checked: CheckedCell) -> Iterator[str]:
    """Yield each way in which the run of `manifest` is not the one that `checked` describes."""
    cell = checked.cell
    there = manifest.config
    here: Config = plain(cell.config)
    for group in dict.fromkeys((*here, *there)):
        if group in MAY_DIFFER or there.get(group) == here.get(group):
            continue
        chosen = manifest.labels.get(group), cell.labels.get(group)
        if chosen[0] != chosen[1]:
            yield _difference(group, *chosen)
            continue
        settings = dict(_flat(group, there.get(group))), dict(_flat(group, here.get(group)))
        for key in dict.fromkeys((*settings[1], *settings[0])):
            if settings[0].get(key, UNSET) != settings[1].get(key, UNSET):
                yield _difference(key, settings[0].get(key, UNSET), settings[1].get(key, UNSET))
    if manifest.problems != problems_of(checked):
        yield f"other problems of task {cell.task.name}"
    for role, weights in weights_of(cell).items():
        if manifest.weights.get(role) not in (None, weights):
            yield f"other weights of {cell.deployment.roles[role].model.name}"


def _difference(key: str, there: Any, here: Any) -> str:
    return f"{key}={_shown(there)} there and {_shown(here)} here"


def _shown(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}", inner)
    else:
        yield prefix, value
