"""One check of a machine: part after part, each in its time, and all that was found kept after each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tts_eval.checking.bounded import Failed, TimeIsOver, run_bounded
from tts_eval.checking.part import Fault, Figure, Part, Result, Status

FILE = "check_gpu.json"
MIN_S = 15.0  # a part that could only be cut is not begun
PLAIN_WIDTH = 160


def check(
    parts: Iterable[Part],
    folder: Path,
    *,
    num_devices: int,
    on_cpu: bool,
    seconds: float,
    say: Callable[[str], None],
    only: Collection[str] = (),
    skip: Collection[str] = (),
) -> list[Result]:
    """Run `parts` in at most `seconds` s, and write check_gpu.json in `folder` after each."""
    folder.mkdir(parents=True, exist_ok=True)
    began_s, results = time.monotonic(), list[Result]()
    for part in parts:
        left_s = seconds - (time.monotonic() - began_s)
        reason = _why_skipped(
            part, results, num_devices=num_devices, on_cpu=on_cpu, left_s=left_s, only=only, skip=skip
        )
        if reason is None:
            say(f"{part.name}: {part.shows} (at most {min(part.limit_s, left_s):.0f} s)")
            results.append(_result(part, folder / part.name, limit_s=min(part.limit_s, left_s)))
        else:
            results.append(Result(name=part.name, status=Status.SKIPPED, why=reason))
        _write(folder / FILE, results, seconds=time.monotonic() - began_s)
    return results


def _why_skipped(
    part: Part,
    results: Sequence[Result],
    *,
    num_devices: int,
    on_cpu: bool,
    left_s: float,
    only: Collection[str],
    skip: Collection[str],
) -> str | None:
    if part.name in skip or (only and part.name not in only):
        return "left out"
    if on_cpu and part.not_on_cpu is not None:
        return part.not_on_cpu
    if part.num_gpus > num_devices:
        return f"needs {part.num_gpus} {'cores' if on_cpu else 'GPUs'}, there are {num_devices}"
    if part.after is not None:
        before = next((result for result in results if result.name == part.after), None)
        if before is None or before.status is not Status.PASSED:
            return f"reads what {part.after} leaves"
    return "no time left" if left_s < min(part.limit_s, MIN_S) else None


def _result(part: Part, folder: Path, *, limit_s: float) -> Result:
    """Run one part; whatever happens in it is its result, and not the end of the check."""
    folder.mkdir(parents=True, exist_ok=True)
    began_s = time.monotonic()

    def ended(status: Status, why: str = "", figures: dict[str, Figure] | None = None) -> Result:
        seconds = time.monotonic() - began_s
        return Result(name=part.name, status=status, seconds=seconds, why=why, figures=figures or {})

    try:
        for command in part.commands:
            run_bounded(command, folder, limit_s=max(1.0, limit_s - (time.monotonic() - began_s)))
        return ended(Status.PASSED, figures=dict(part.read(folder)))
    except TimeIsOver as over:
        return ended(Status.CUT, str(over))
    except Fault as fault:
        return ended(Status.FAILED, str(fault), dict(fault.figures))
    except (Failed, OSError, ValueError, KeyError) as error:
        return ended(Status.FAILED, str(error) or type(error).__name__, _left(folder))


def _left(folder: Path) -> dict[str, Figure]:
    """Return what a probe found before it failed."""
    file = folder / "found.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _write(file: Path, results: Sequence[Result], *, seconds: float) -> None:
    """Replace the file whole: a cut leaves the one before."""
    document = {"seconds": seconds, "parts": [asdict(result) for result in results]}
    new = file.with_suffix(".new")
    new.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    os.replace(new, file)


def print_results(results: Sequence[Result], *, console: Console) -> None:
    """Print a row a part: how it ended, how long it took, what it found."""
    table = Table()
    for heading in ("part", "status", "s", "found"):
        table.add_column(heading, justify="right" if heading == "s" else "left", no_wrap=heading != "found")
    for result in results:
        figures = ", ".join(f"{name} {_shown(value)}" for name, value in result.figures.items())
        table.add_row(
            result.name,
            result.status,
            f"{result.seconds:.0f}" if result.seconds else "",
            "; ".join(filter(None, (result.why, figures))),
        )
    console.print(table)


def _shown(value: Figure) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 1000
        else f"{value:,.0f}"
        if isinstance(value, float)
        else "-"
        if value is None
        else str(value)
    )
