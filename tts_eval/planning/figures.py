"""The planner's figures as PNG and PDF, each beside the CSV that it draws; titles say what is modelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tts_eval.planning.files import Row, write_csv
from tts_eval.planning.recorded import REGIMES

WIDE, SQUARE = (9.0, 3.6), (4.6, 4.4)


def draw_lengths(folder: Path, rows: Sequence[Row], *, title: str) -> None:
    """Draw throughput and time to answer against chain length, a line a plan: the reasoning cliff."""

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for plan in _distinct(rows, "plan"):
            own = [row for row in rows if row["plan"] == plan]
            lengths = [row["reasoning_tokens"] for row in own]
            [line] = left.plot(lengths, [row["generated_tokens_per_s"] for row in own], "o-", label=plan)
            if own[0]["tta_p50_s"] is not None:
                right.plot(lengths, [row["tta_p50_s"] for row in own], "o-", color=line.get_color())
            if own[0]["cliff_tokens"] is not None:
                left.axvline(own[0]["cliff_tokens"], color=line.get_color(), linestyle=":", linewidth=1)
        left.set(ylabel="tokens/s", title="dotted: where the KV cache is full")
        right.set(ylabel="time to answer, median (s)", yscale="log")
        for axes in (left, right):
            axes.set(xlabel="reasoning tokens (median)", xscale="log")
        left.legend(fontsize="small")

    _save(folder, "cliff", rows, draw, title=title, size=WIDE)


def draw_degrees(folder: Path, rows: Sequence[Row], *, title: str) -> None:
    """Draw the speed-up of a single stream against the tensor-parallel degree."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for launches in _distinct(rows, "launches"):
            own = [row for row in rows if row["launches"] == launches]
            degrees = [row["tensor_parallel_size"] for row in own]
            axes.plot(degrees, [row["speed_up"] for row in own], "o-", label=launches)
        baseline = rows[0]["baseline"]
        degrees = sorted({row["tensor_parallel_size"] for row in rows})
        axes.plot(degrees, [degree / baseline for degree in degrees], ":", color="grey", label="ideal")
        axes.set(xlabel="GPUs, tensor parallel", ylabel=f"speed-up over TP{baseline}, one sequence")
        axes.set_xticks(degrees)
        axes.legend(fontsize="small")

    _save(folder, "tensor_parallel", rows, draw, title=title, size=SQUARE)


def draw_crossover(folder: Path, rows: Sequence[Row], *, num_gpus: int, title: str) -> None:
    """Draw throughput against model size on `num_gpus`, each point with its best plan."""
    own = sorted((row for row in rows if row["num_gpus"] == num_gpus), key=lambda r: r["num_parameters"])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for plan in _distinct(own, "plan"):
            points = [row for row in own if row["plan"] == plan]
            sizes = [row["num_parameters"] / 1e9 for row in points]
            axes.plot(sizes, [row["generated_tokens_per_s"] for row in points], "o", label=plan)
        axes.set(
            xlabel="parameters (billions)", ylabel="tokens/s on the best plan", xscale="log", yscale="log"
        )
        axes.legend(fontsize="small", title="best plan")

    _save(folder, "crossover", own, draw, title=title, size=SQUARE)


def draw_capacity(folder: Path, rows: Sequence[Row], *, title: str) -> None:
    """Draw how many sequences fit, models against GPUs; an empty cell is a model that does not fit."""
    sizes = {row["model"]: row["num_parameters"] for row in rows}
    models = sorted(sizes, key=lambda model: sizes[model])
    num_gpus = sorted({row["num_gpus"] for row in rows})

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for row in rows:
            x, y = num_gpus.index(row["num_gpus"]), models.index(row["model"])
            axes.text(x, y, f"{row['num_sequences_peak']:,}", ha="center", va="center", fontsize=7)
        axes.set_xlim(-0.5, len(num_gpus) - 0.5)
        axes.set_ylim(-0.5, len(models) - 0.5)
        axes.set_xticks(range(len(num_gpus)), [str(n) for n in num_gpus])
        axes.set_yticks(range(len(models)), models, fontsize=7)
        axes.set(xlabel="GPUs", title="sequences at full length")

    _save(folder, "capacity", rows, draw, title=title, size=(5.0, 6.0))


def draw_calibration(folder: Path, rows: Sequence[Row]) -> None:
    """Draw measured against modelled throughput and time to answer, run by run."""

    def draw(figure: Figure) -> None:
        for axes, name in zip(figure.subplots(1, 2), ("generated_tokens_per_s", "tta_p50_s"), strict=True):
            for color, regime in enumerate(REGIMES):
                _scatter(axes, [row for row in rows if row["regime"] == regime], name, f"C{color}", regime)
            values = [row[f"{name}_{kind}"] for row in rows for kind in ("measured", "modelled")]
            axes.plot([min(values), max(values)], [min(values), max(values)], ":", color="grey")
            axes.set(xlabel=f"{name}, measured", ylabel="modelled", xscale="log", yscale="log")
        axes.legend(fontsize="small", title="filled: held out")

    title = "modelled against measured, constants fitted to the runs drawn empty"
    _save(folder, "calibration", rows, draw, title=title, size=WIDE)


def _scatter(axes: Axes, rows: Sequence[Row], name: str, color: str, regime: str) -> None:
    for is_held_out in (False, True):
        own = [row for row in rows if row["is_held_out"] is is_held_out]
        axes.plot(
            [row[f"{name}_measured"] for row in own],
            [row[f"{name}_modelled"] for row in own],
            "o",
            color=color,
            fillstyle="full" if is_held_out else "none",
            label=regime if is_held_out and own else None,
        )


def _save(
    folder: Path,
    name: str,
    rows: Sequence[Row],
    draw: Callable[[Figure], None],
    *,
    title: str,
    size: tuple[float, float],
) -> None:
    """Write `name`.csv, .png and .pdf; nothing where there are no rows."""
    if not rows:
        return
    write_csv(folder / f"{name}.csv", rows)
    figure = Figure(figsize=size, layout="constrained")
    draw(figure)
    figure.suptitle(title, fontsize="medium")
    for suffix in ("png", "pdf"):
        figure.savefig(folder / f"{name}.{suffix}", dpi=150)


def _distinct(rows: Sequence[Row], key: str) -> list[str]:
    return list(dict.fromkeys(row[key] for row in rows))
