"""The figures for a paper, as PNG and PDF: both frontiers, deadlines, scaling, critical paths.

Colours are those of Okabe and Ito, which the colour-blind tell apart; shapes tell the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tts_eval.analysis.axes import axis_of
from tts_eval.reporting.contents import PATH
from tts_eval.reporting.group import Group
from tts_eval.reporting.parts import CellView, Contents, Curve, Family

Fill = Literal["full", "none", "bottom"]
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1", "#7F7F7F")
SHAPES = "osD^PX*"
DASHES = ("-", "--", ":", "-.")
FILLS: Mapping[str, Fill] = {"measured": "full", "replayed": "none", "modelled": "bottom"}
MAX_NAMED = 8
MAX_BARS = 24


def draw_figures(folder: Path, group: Group, contents: Contents) -> list[Path]:
    """Draw what there is of `group` into `folder`; returns the PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[Path] = []

    def save(name: str, width: float, height: float, draw: Callable[[Figure], None]) -> None:
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        figure.suptitle(group.name, fontsize="small", color="0.35")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # it has been laid out, for both files
        for suffix in ("png", "pdf"):
            figure.savefig(folder / f"{name}.{suffix}", dpi=160)
        drawn.append(folder / f"{name}.png")

    axes = [*group.names_of("compute")[:1], *group.names_of("system")[:2]]
    if axes:
        save("frontiers", 2.0 + 4.0 * len(axes), 5.4, lambda figure: _frontiers(figure, group, axes))
    if contents.anytime:
        save("deadlines", 7.0, 4.4, lambda figure: _deadlines(figure, group, contents.anytime))
    if contents.scaling:
        save("scaling", 7.0, 4.4, lambda figure: _scaling(figure, group, contents.scaling[:MAX_NAMED]))
    timed = [cell for cell in contents.cells if cell.path_s]
    if timed:
        best = sorted(timed, key=_accuracy)[-MAX_BARS:]
        save("critical_path", 8.0, 1.6 + 0.3 * len(best), lambda figure: _critical_path(figure, best))
    return drawn


def _frontiers(figure: Figure, group: Group, names: Sequence[str]) -> None:
    """Draw the same cells once an axis, those on the frontier numbered alike in all of them."""
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    by = "strategy" if group.cells.describe()["strategy"].nunique() > 1 else "model"
    numbers = {name: place for place, name in enumerate(group.on_a_frontier[:MAX_NAMED], start=1)}
    for axes, name in zip(panels, names, strict=True):
        table = group.frontiers[name].replace({"cost": float("inf")}, float("nan")).dropna(subset=["cost"])
        _points(axes, table, by)
        best = table[table["on_frontier"]].sort_values(["cost", "accuracy"])
        axes.step(best["cost"], best["accuracy"], where="post", color="0.2", linewidth=1, zorder=1)
        for cell, number in numbers.items():
            if cell in table.index:
                spot = (table.loc[cell, "cost"], table.loc[cell, "accuracy"])
                axes.annotate(str(number), spot, (5, 5), textcoords="offset points", fontsize=8)
        kind = "compute-optimal" if axis_of(name).kind == "compute" else "system-optimal"
        axes.set(xlabel=axis_of(name).label, title=kind)
        _logarithmic(axes)
    panels[0].set_ylabel("accuracy, with 95% intervals")
    handles, labels = _legend(group.frontiers[names[0]], by)
    figure.legend(handles, labels, loc="outside right upper", fontsize="small")
    lines = [f"{number}  {group.short_names[cell]}" for cell, number in numbers.items()]
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7)


def _points(axes: Axes, table: pd.DataFrame, by: str) -> None:
    places = {value: place for place, value in enumerate(dict.fromkeys(table[by].fillna("none")))}
    has_bars = len(table) <= 60
    for (value, provenance), own in table.groupby([table[by].fillna("none"), "provenance"], sort=False):
        place = places[value]
        low, high = own["accuracy"] - own["accuracy_low"], own["accuracy_high"] - own["accuracy"]
        axes.errorbar(
            own["cost"],
            own["accuracy"],
            yerr=[low.clip(lower=0), high.clip(lower=0)] if has_bars else None,
            fmt=SHAPES[place % len(SHAPES)],
            color=COLOURS[place % len(COLOURS)],
            fillstyle=FILLS[str(provenance)],
            markersize=6 if has_bars else 4,
            elinewidth=0.7,
            capsize=0,
        )


def _legend(table: pd.DataFrame, by: str) -> tuple[list[Line2D], list[str]]:
    found = {}
    places = {value: place for place, value in enumerate(dict.fromkeys(table[by].fillna("none")))}
    for value, provenance in dict.fromkeys(zip(table[by].fillna("none"), table["provenance"], strict=True)):
        place = places[value]
        found[f"{value}, {provenance}"] = Line2D(
            [],
            [],
            linestyle="",
            marker=SHAPES[place % len(SHAPES)],
            color=COLOURS[place % len(COLOURS)],
            fillstyle=FILLS[provenance],
        )
    return list(found.values()), list(found)


def _accuracy(cell: CellView) -> float:
    return float(cell.accuracy.value or 0.0)


def _deadlines(figure: Figure, group: Group, curves: Sequence[Curve]) -> None:
    axes = figure.subplots()
    for place, curve in enumerate(curves):
        axes.step(
            curve.deadline_s,
            curve.accuracy,
            where="post",
            label=group.short_names[curve.cell],
            color=COLOURS[place % len(COLOURS)],
            linestyle=DASHES[place % len(DASHES)],
        )
    axes.set(xlabel="seconds from a problem's arrival", ylabel="accuracy at the deadline")
    axes.set_ylim(bottom=0)
    _logarithmic(axes)
    figure.legend(loc="outside lower center", fontsize="x-small", ncols=1)


def _scaling(figure: Figure, group: Group, families: Sequence[Family]) -> None:
    axes = figure.subplots()
    table = group.frontiers["tokens_per_problem"]
    for place, family in enumerate(families):
        colour, own = COLOURS[place % len(COLOURS)], table.loc[family.cells]
        axes.plot(family.x, family.y, color=colour, linestyle=DASHES[place % len(DASHES)], linewidth=1)
        axes.errorbar(
            own["cost"],
            own["accuracy"],
            yerr=[own["accuracy"] - own["accuracy_low"], own["accuracy_high"] - own["accuracy"]],
            fmt=SHAPES[place % len(SHAPES)],
            fillstyle=FILLS[own["provenance"].iloc[0]],
            color=colour,
            elinewidth=0.7,
            label=family.family,
        )
    axes.set(xlabel="generated tokens per problem", ylabel="accuracy, with 95% intervals")
    _logarithmic(axes)
    figure.legend(loc="outside lower center", fontsize="x-small", ncols=1)


def _logarithmic(axes: Axes) -> None:
    """Make the x axis logarithmic, with plain numbers few enough to be read."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    steps = (1, 1.5, 2, 3, 5, 7) if high / low < 10 else (1, 2, 5) if high / low < 300 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.25)


def _short(value: float) -> str:
    """Return 5e8 in place of 5e+08: neighbouring ticks touch each other otherwise."""
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def _critical_path(figure: Figure, cells: Sequence[CellView]) -> None:
    axes = figure.subplots()
    hatches = ("", "//", "", "xx", "..", "\\\\")
    left = [0.0] * len(cells)
    for place, part in enumerate(PATH):
        seconds = [float((cell.path_s or {})[part] or 0.0) for cell in cells]
        axes.barh(
            [cell.short for cell in cells],
            seconds,
            left=left,
            color=COLOURS[place],
            hatch=hatches[place],
            edgecolor="white",
            linewidth=0,
            label=part.removesuffix("_s").replace("_", " "),
        )
        left = [before + more for before, more in zip(left, seconds, strict=True)]
    axes.set(xlabel="seconds per problem, mean")
    axes.tick_params(axis="y", labelsize="x-small")
    figure.legend(loc="outside lower center", ncols=6, fontsize="small")
