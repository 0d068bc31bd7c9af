"""The table at the end of a sweep, and where the runs lie."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tts_eval.command.failures import all_failed
from tts_eval.command.folders import from_here
from tts_eval.running.sweep import Sweep
from tts_eval.summary.answers import ending_warnings
from tts_eval.summary.summary import Summary
from tts_eval.summary.throughput import Backlog

HEADINGS = ("n", "accuracy", "tta p50", "tta p99", "tokens/problem", "tokens/s", "$/correct")
MAX_NAME_WIDTH = 56
PLAIN_WIDTH = 160  # where the output is no terminal, nothing is cut


def print_table(sweep: Sweep, *, console: Console | None = None) -> None:
    """Print a row a cell: accuracy with its 95% interval, latency, throughput, cost, tokens."""
    if not sweep.summaries:
        return
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    names = _distinct_parts([checked.cell.name for checked, _ in sweep.summaries])
    provenances = dict.fromkeys(summary.about.provenance for _, summary in sweep.summaries)
    title = f"{' and '.join(provenances)}; accuracy with 95% interval"
    table = Table(title=title, title_justify="left", title_style="")
    table.add_column("cell", no_wrap=True, max_width=MAX_NAME_WIDTH)
    lengths = [_acceptance_length(summary) for _, summary in sweep.summaries]
    speculates = any(length is not None for length in lengths)
    fails = any(summary.answers.num_failed for _, summary in sweep.summaries)
    extra = [*(["failed"] if fails else []), *(["acceptance length"] if speculates else [])]
    for heading in (*HEADINGS, *extra):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, length, (_, summary) in zip(names, lengths, sweep.summaries, strict=True):
        answers = summary.answers
        failed = [f"{answers.num_failed} of {answers.num_problems}"] if fails else []
        accepted = [_number(length)] if speculates else []
        table.add_row(escape(name), *_figures(summary), *failed, *accepted)
    console.print(table)
    for name, (_, summary) in zip(names, sweep.summaries, strict=True):
        if summary.saturation and summary.saturation.saturated and summary.saturation.saturation:
            console.print(f"{name}: {_fallen_behind(summary.saturation.saturation)}", soft_wrap=True)
        if num_unread := summary.spent.num_unread_steps:
            console.print(f"{name}: {_unread(num_unread)}", soft_wrap=True)
        if num_unscored := summary.spent.num_unscored_traces:
            console.print(f"{name}: the verifier came to no verdict on {num_unscored} traces", soft_wrap=True)
        for warning in ending_warnings(summary.answers):
            console.print(f"{name}: {warning}", soft_wrap=True, markup=False)
    _print_where(sweep, console)


def _print_where(sweep: Sweep, console: Console) -> None:
    """Say where the runs lie, and what compares them."""
    folders = {str(checked.cell.directory) for checked, _ in sweep.summaries}
    parents = {str(checked.cell.directory.parent) for checked, _ in sweep.summaries}
    where = folders if len(folders) == 1 else parents
    console.print(f"results: {', '.join(sorted(where))}", soft_wrap=True, markup=False)
    named = " ".join(shlex.quote(str(from_here(Path(folder)))) for folder in sorted(where))
    console.print(f"report:  python -m tts_eval.report {named}", soft_wrap=True, markup=False)


def _fallen_behind(backlog: Backlog) -> str:
    return (
        f"saturated: in the second half of the load {backlog.arrivals_per_s:.2f} problems/s came and "
        f"{backlog.answers_per_s:.2f} were answered; its times grow with the length of the run"
    )


def _unread(num_steps: int) -> str:
    return (
        f"{num_steps} steps did not fit the verifier's model and took another's score; "
        "verifier.reads=answer reads what follows the thinking alone"
    )


def _distinct_parts(names: list[str]) -> list[str]:
    """Return the names without the overrides that all of them share."""
    parts = [_parts(name) for name in names]
    shared = set.intersection(*map(set, parts)) if len(names) > 1 else set()
    own = [",".join(part for part in mine if part not in shared) for mine in parts]
    return [short or name for short, name in zip(own, names, strict=True)]


def _parts(name: str) -> list[str]:
    """Return the overrides in a cell's name; a comma within brackets or quotes divides none."""
    parts, depth, quote = [""], 0, ""
    for character in name:
        if quote or character in "'\"":
            quote = "" if character == quote else quote or character
        elif character in "[({":
            depth += 1
        elif character in "])}":
            depth -= 1
        if character == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _figures(summary: Summary) -> list[str]:
    num_problems, throughput, cost = summary.answers.num_problems, summary.throughput, summary.cost
    tta_s = summary.latency.tta_s if summary.latency else None
    return [
        str(num_problems),
        _accuracy(summary),
        _seconds(tta_s.p50 if tta_s else None),
        _seconds(tta_s.p99 if tta_s else None),
        _count(summary.spent.tokens.generated, num_problems),
        _count(throughput.generated_tokens_per_s if throughput else None, 1),
        _number(cost.usd_per_correct if cost else None, ".3g"),
    ]


def _acceptance_length(summary: Summary) -> float | None:
    return summary.gauges.mean_acceptance_length if summary.gauges else None


def _count(total: float | None, num: int) -> str:
    return "-" if total is None or not num else f"{total / num:,.0f}"


def _accuracy(summary: Summary) -> str:
    if all_failed(summary):
        return "failed"
    answers = summary.answers
    if answers.accuracy is None or answers.accuracy_ci95 is None:
        return "-"
    low, high = answers.accuracy_ci95
    return f"{answers.accuracy:.3f} [{low:.3f}, {high:.3f}]"


def _number(value: float | None, digits: str = ".2f") -> str:
    return "-" if value is None else f"{value:{digits}}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
