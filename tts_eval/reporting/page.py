"""report.html: the contents of all groups, the program that draws them and plotly.js, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

import msgspec
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

from tts_eval.reporting import details
from tts_eval.reporting.parts import Contents, Limits, PageData

# In this order: a view stands on what is before it, and the last one starts them all.
PROGRAM = (
    "base",
    "frontiers",
    "curves",
    "choices",
    "times",
    "costs",
    "decisions",
    "runaways",
    "problems",
    "controls",
)


def write_page(
    file: Path, contents: Sequence[Contents], *, without_accuracy: Sequence[str], made_at: str
) -> None:
    """Write the page of the groups' `contents`; groups `without_accuracy` are named as left out."""
    parts = files("tts_eval.reporting").joinpath("views")
    data = PageData(
        made_at=made_at,
        groups=contents,
        without_accuracy=without_accuracy,
        limits=Limits(
            curves=details.NUM_CURVES,
            gauged=details.NUM_GAUGED,
            problems=details.NUM_PROBLEMS,
            attempts=details.NUM_ATTEMPTS,
            candidates=details.NUM_CANDIDATES,
            nodes=details.NUM_NODES,
            chars=details.MAX_CHARS,
        ),
    )
    template = Template(parts.joinpath("page.html").read_text(encoding="utf-8"))
    page = template.substitute(
        style=parts.joinpath("page.css").read_text(encoding="utf-8"),
        plotly=get_plotlyjs(),
        program="\n".join(parts.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in PROGRAM),
        data=_embedded(data),
    )
    file.write_text(page, encoding="utf-8")


def _embedded(data: PageData) -> str:
    """Return `data` as JSON that cannot end the script element which holds it."""
    text = msgspec.json.encode(data).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
