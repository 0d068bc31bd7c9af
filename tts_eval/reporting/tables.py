"""The report's tables: those written as CSV, and what is said on the console.

Knows no page and no figure.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tts_eval.frontiers.axes import axis_of
from tts_eval.reporting.decisions import Rates, decision_table
from tts_eval.reporting.group import Group

PLAIN_WIDTH = 160  # where the output is no terminal
MAX_ROWS = 40


def frontier_table(groups: Sequence[Group]) -> pd.DataFrame:
    """Return a row a group, axis and cell: what `frontier` says of it."""
    parts = []
    for group in groups:
        for axis in group.axes:
            table = group.frontiers[axis.name].reset_index()
            table.insert(0, "group", group.name)
            table.insert(1, "axis", axis.name)
            table.insert(2, "kind", axis.kind)
            table["parallelism"] = table["cell"].map(group.parallelism)
            parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def regret_table(groups: Sequence[Group]) -> pd.DataFrame:
    """Return a row a group, pair of axes and cell on the compute frontier: what `regret` says of it."""
    parts = []
    for group in groups:
        for (compute, system), (table, agreed) in group.regrets.items():
            if not table.empty:
                part = table.reset_index()
                part.insert(0, "group", group.name)
                part.insert(1, "compute", compute)
                part.insert(2, "system", system)
                part["tau"] = agreed.tau
                part["tau_low"], part["tau_high"] = agreed.ci95
                parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def write_tables(folder: Path, groups: Sequence[Group], *, rates: Rates | None) -> None:
    """Write frontier.csv and regret.csv; others where there is something to say, or stated `rates`."""
    frontier_table(groups).to_csv(folder / "frontier.csv", index=False)
    regret_table(groups).to_csv(folder / "regret.csv", index=False)
    levels = {group.name: group.levels for group in groups}
    equal = {group.name: group.equivalents for group in groups}
    for name, tables in (("levels", levels), ("equivalents", equal)):
        if told := {group: table for group, table in tables.items() if not table.empty}:
            rows = pd.concat(told, names=["group"]).reset_index("group")
            rows.to_csv(folder / f"{name}.csv", index=False)
    if rates is not None:
        decision_table(groups, rates).to_csv(folder / "decisions.csv", index=False)


def print_group(group: Group, *, rates: Rates | None = None, console: Console | None = None) -> None:
    """Print the cells on a frontier, on which each stands, the largest regret, and the choice at `rates`."""
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    axes = [axis_of(name) for name in (*group.names_of("compute")[:1], *group.names_of("system")[:3])]
    provenances = " and ".join(dict.fromkeys(group.frames.runs["provenance"]))
    is_mixed = group.frames.runs["provenance"].nunique() > 1
    table = Table(
        title=escape(f"{group.name}: {len(group.cells.names)} cells, {provenances}; * on the frontier"),
        title_justify="left",
        title_style="",
    )
    table.add_column("cell on a frontier", overflow="fold", min_width=44)
    if is_mixed:
        table.add_column("provenance")
    table.add_column("accuracy [95%]", justify="right", no_wrap=True)
    for axis in axes:
        table.add_column(axis.label, justify="right")
    for name in group.on_a_frontier[:MAX_ROWS]:
        row = group.frontiers[axes[0].name].loc[name]
        costs = [group.frontiers[axis.name].loc[name].to_dict() for axis in axes]
        accuracy = f"{row['accuracy']:.3f} [{row['accuracy_low']:.3f}, {row['accuracy_high']:.3f}]"
        marked = [figure(cost["cost"]) + ("*" if cost["on_frontier"] else " ") for cost in costs]
        provenance = [row["provenance"]] if is_mixed else []
        table.add_row(escape(group.short_names[name]), *provenance, accuracy, *marked)
    console.print(table)
    if len(group.on_a_frontier) > MAX_ROWS:
        console.print(f"and {len(group.on_a_frontier) - MAX_ROWS} more: frontier.csv")
    for system in group.names_of("system")[:2]:
        for line in regret_lines(group, system):
            console.print(line, markup=False, soft_wrap=True)
    if rates is not None:
        console.print(decision_line(group, rates), markup=False, soft_wrap=True)


def regret_lines(group: Group, system: str) -> list[str]:
    """Return what the compute frontier's cells cost too much on `system` where they do so most, in words."""
    lines = []
    for compute in group.names_of("compute")[:1]:
        table, agreed = group.regrets[compute, system]
        lost = table[table["regret"] > 0] if not table.empty else table
        label, by = axis_of(system).label, axis_of(compute).label
        low, high = agreed.ci95
        ranks = f"Kendall's tau {figure(agreed.tau)} [{figure(low)}, {figure(high)}]"
        if lost.empty:
            lines.append(f"regret in {label}: none; choosing by {by} finds the same cells ({ranks})")
            continue
        worst = lost.sort_values("regret_ratio", ascending=False).reset_index().iloc[0].to_dict()
        names = group.short_names
        lines.append(
            f"regret in {label}, choosing by {by}: {len(lost)} of {len(table)} cells; the largest "
            f"{figure(worst['regret'])} [{figure(worst['regret_low'])}, {figure(worst['regret_high'])}] "
            f"by {names[worst['cell']]} instead of {names[worst['system_cell']]}, "
            f"{worst['regret_ratio']:.2f} times its cost ({ranks})"
        )
    return lines


def decision_line(group: Group, rates: Rates) -> str:
    """Return, in words, which cell is worth most at `rates`."""
    stated = f"at ${rates.value_per_correct_usd:g} a right answer and ${rates.usd_per_wait_s:g} a second"
    table = decision_table([group], rates)
    if table.empty:
        return f"{stated}: no cell has known dollars and times"
    best = table.iloc[0].to_dict()
    return (
        f"{stated}: {group.short_names[best['cell']]} is worth most, ${figure(best['utility_usd'])} "
        f"[{figure(best['utility_usd_low'])}, {figure(best['utility_usd_high'])}] a problem, the best in "
        f"{best['p_best']:.0%} of resamples"
    )


def figure(value: float) -> str:
    """Return a number as short as it can be read; - where it is not known."""
    if value is None or math.isnan(value):
        return "-"
    return "inf" if math.isinf(value) else f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
