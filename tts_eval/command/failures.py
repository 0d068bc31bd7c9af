"""What went wrong in a sweep, a line a cell: it has no summary, or none of its problems came to an answer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tts_eval.command.folders import from_here
from tts_eval.rundir.directory import ERRORS, RunDirectory
from tts_eval.running.sweep import Sweep
from tts_eval.summary.summary import Summary


def failure_lines(sweep: Sweep) -> list[str]:
    """Return a line for every cell without a summary, and for every one with problems that failed."""
    lines = [f"{checked.cell.name} has no summary: {reason}" for checked, reason in sweep.failures]
    return lines + [
        f"{checked.cell.name}: {_described(checked.cell.directory, summary)}"
        for checked, summary in sweep.summaries
        if summary.answers.num_failed
    ]


def has_failed(sweep: Sweep) -> bool:
    """Whether a cell has no summary, or all of its problems failed."""
    return bool(sweep.failures) or any(all_failed(summary) for _, summary in sweep.summaries)


def all_failed(summary: Summary) -> bool:
    """Whether the strategy raised on every problem, so that nothing could be measured."""
    answers = summary.answers
    return bool(answers.num_failed) and answers.num_failed == answers.num_problems


def _described(folder: Path, summary: Summary) -> str:
    """Return `9 of 9 problems failed: IndexError at mine/failing.py:15 (traceback: FOLDER/errors.txt)`."""
    errors = [outcome.error for outcome in RunDirectory(folder).outcomes() if outcome.error]
    kinds = Counter(error.partition(": ")[0] for error in errors)
    more = f" and {len(kinds) - 1} other kinds" if len(kinds) > 1 else ""
    return (
        f"{summary.answers.num_failed} of {summary.answers.num_problems} problems failed: "
        f"{kinds.most_common(1)[0][0]}{more} (traceback: {from_here(folder / ERRORS)})"
    )
