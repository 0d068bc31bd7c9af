"""The report's tables: those written as CSV, and what is said on the console."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tts_eval.analysis.axes import axis_of
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
    has_failed = bool((group.figures["num_failed"] > 0).any())
    if has_failed:
        table.add_column("failed", justify="right")
    for axis in axes:
        table.add_column(axis.label, justify="right")
    for name in group.on_a_frontier[:MAX_ROWS]:
        row = group.frontiers[axes[0].name].loc[name]
        costs = [group.frontiers[axis.name].loc[name].to_dict() for axis in axes]
        accuracy = f"{row['accuracy']:.3f} [{row['accuracy_low']:.3f}, {row['accuracy_high']:.3f}]"
        marked = [figure(cost["cost"]) + ("*" if cost["on_frontier"] else " ") for cost in costs]
        provenance = [row["provenance"]] if is_mixed else []
        failed = [str(group.figures["num_failed"][name])] if has_failed else []
        table.add_row(escape(group.short_names[name]), *provenance, accuracy, *failed, *marked)
    console.print(table)
    if len(group.on_a_frontier) > MAX_ROWS:
        console.print(f"and {len(group.on_a_frontier) - MAX_ROWS} more: frontier.csv")
    for name, reason in group.failed.items():
        console.print(f"on no frontier: {group.short_names[name]}: {reason}", markup=False, soft_wrap=True)
    for line in group.served_otherwise:
        console.print(line, markup=False, soft_wrap=True)
    for system in group.names_of("system")[:2]:
        for line in regret_lines(group, system):
            console.print(line, markup=False, soft_wrap=True)
    if rates is not None:
        console.print(decision_line(group, rates), markup=False, soft_wrap=True)


def regret_lines(group: Group, system: str) -> list[str]:
    """Return what the compute frontier's cells cost too much on `system` where that is proven, in words."""
    lines = []
    for compute in group.names_of("compute")[:1]:
        table, agreed = group.regrets[compute, system]
        if table.empty:
            continue
        low, high = agreed.ci95
        ranks = f"Kendall's tau {figure(agreed.tau)} [{figure(low)}, {figure(high)}]"
        lines.append(
            f"regret in {axis_of(system).label}, choosing by {axis_of(compute).label}: "
            f"{_regret_words(group, table, system)} ({ranks})"
        )
    return lines


def _regret_words(group: Group, table: pd.DataFrame, system: str) -> str:
    if group.cells.run_noise(axis_of(system)) is None:
        count = int((table["regret"] > 0).sum())
        return (
            f"nothing is proven of {len(table)} cells by one run each, {count} look dearer than another; "
            "repeat with seed=0,1,2, or state the noise from run to run with --run-noise"
        )
    proven = table[table["is_proven"]]
    if proven.empty:
        return f"proven of none of {len(table)} cells"
    worst = proven.sort_values("regret_low", ascending=False).reset_index().iloc[0].to_dict()
    names = group.short_names
    return (
        f"proven of {len(proven)} of {len(table)} cells; the surest "
        f"{figure(worst['regret'])} [{figure(worst['regret_low'])}, {figure(worst['regret_high'])}] "
        f"by {names[worst['cell']]} instead of {names[worst['system_cell']]}, "
        f"{worst['regret_ratio']:.2f} times its cost"
    )


def decision_line(group: Group, rates: Rates) -> str:
    """Return, in words, which cell is worth most at `rates`."""
    stated = f"at ${rates.value_per_correct_usd:g} a right answer and ${rates.usd_per_wait_s:g} a second"
    table = decision_table([group], rates)
    if table.empty:
        return f"{stated}: no cell has known dollars and times"
    best = table.iloc[0].to_dict()
    worth = f"{stated}: {group.short_names[best['cell']]} is worth most, ${figure(best['utility_usd'])}"
    if math.isnan(best["p_best"]):
        return f"{worth} a problem in these runs; how sure that is takes repeats (seed=0,1,2)"
    return (
        f"{worth} [{figure(best['utility_usd_low'])}, {figure(best['utility_usd_high'])}] a problem, the "
        f"best in {best['p_best']:.0%} of resamples"
    )


def figure(value: float) -> str:
    """Return a number as short as it can be read; - where it is not known."""
    if value is None or math.isnan(value):
        return "-"
    return "inf" if math.isinf(value) else f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
