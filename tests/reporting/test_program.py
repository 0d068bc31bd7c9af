"""The report of a small sweep, from the runs' folders to the files that it leaves."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tts_eval
from tests.reporting.runs import sums_run, sweep
from tts_eval.frontiers.cells import Cells
from tts_eval.frontiers.frontier import frontier
from tts_eval.frontiers.regret import regret
from tts_eval.reporting.program import write_report
from tts_eval.tracking.none import NoTracking

VOID = {"meta", "input", "br", "link"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(sweep(tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="module")
def report(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report([runs], folder=folder, tracking=NoTracking())
    return folder


class Page(HTMLParser):
    """The elements of a page: whether they are well nested, what they refer to, and the data within."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.data = ""
        self._is_data = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.references += [given[key] or "" for key in ("src", "href") if key in given]
        self._is_data = given.get("id") == "data"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._is_data = False

    def handle_data(self, data: str) -> None:
        if self._is_data:
            self.data += data


@pytest.fixture(scope="module")
def page(report: Path) -> Page:
    return Page((report / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def group(page: Page) -> dict[str, Any]:
    groups: list[dict[str, Any]] = json.loads(page.data)["groups"]
    assert len(groups) == 1
    return groups[0]


def test_frontier_csv_says_what_the_frontiers_say(runs: Path, report: Path) -> None:
    table = pd.read_csv(report / "frontier.csv").set_index(["axis", "cell"])
    cells = Cells.of(tts_eval.load(runs))
    for axis in ("tokens_per_problem", "tta_s_p50", "usd_per_correct"):
        expected = frontier(cells, axis)
        found = table.loc[axis].loc[expected.index]
        assert found["cost"].tolist() == pytest.approx(expected["cost"].tolist())
        assert found["on_frontier"].tolist() == expected["on_frontier"].tolist()
        assert set(found["provenance"]) == {"measured"}
    assert set(table["parallelism"]) == {"one worker", "TP2"}


def test_regret_csv_says_what_the_regret_says(runs: Path, report: Path) -> None:
    table = pd.read_csv(report / "regret.csv").set_index("cell")
    expected = regret(Cells.of(tts_eval.load(runs)), compute="tokens_per_problem", system="usd_per_correct")
    is_pair = (table["compute"] == "tokens_per_problem") & (table["system"] == "usd_per_correct")
    found = table[is_pair].loc[expected.index]
    assert found["regret"].tolist() == pytest.approx(expected["regret"].tolist(), abs=1e-15)
    assert found["system_cell"].tolist() == expected["system_cell"].tolist()


def test_the_page_stands_alone(page: Page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert all(reference.startswith("#") and reference[1:] in page.ids for reference in page.references)


def test_the_program_asks_for_no_element_that_is_not_there(page: Page, report: Path) -> None:
    text = (report / "report.html").read_text(encoding="utf-8")
    program = text[text.rindex('"use strict";\nconst data') :]
    asked = set(re.findall(r'\$\("([a-z-]+)"\)', program)) | set(
        re.findall(r'(?:draw|table)\("([a-z-]+)"', program)
    )
    assert len(asked) > 15
    assert asked <= set(page.ids)


def test_the_page_holds_every_cell_with_its_whole_configuration(group: Mapping[str, Any]) -> None:
    assert len(group["cells"]) == 6
    for cell in group["cells"]:
        settings = group["shared"] | cell["own"]
        assert settings["strategy.n"] in ("2", "4", "8")
        assert settings["engine.pipeline_parallel_size"] == "1"
        assert settings["strategy.note"] == "</script><b>not a tag</b>"  # and it has not ended the page
        assert cell["provenance"] == "measured"
        assert len(cell["costs"]["tta_s_p50"]) == 6


def test_the_views_have_what_they_draw(group: Mapping[str, Any]) -> None:
    names = {cell["name"] for cell in group["cells"]}
    assert {curve["cell"] for curve in group["anytime"]} <= names
    assert [len(family["cells"]) for family in group["scaling"]] == [3, 3]
    assert all(math.isclose(sum(cell["path"]), mean_tta_s(cell), rel_tol=1e-3) for cell in group["cells"])
    assert len(group["problems"]) == 3
    for problem in group["problems"]:
        assert all(attempt["candidates"][0]["text"] for attempt in problem["attempts"])


def mean_tta_s(cell: Mapping[str, Any]) -> float:
    return float(cell["costs"]["tta_s_mean"][0])


def test_every_figure_is_a_png_and_a_pdf(report: Path) -> None:
    files = {file.name: file for file in (report / "figures").iterdir()}
    for name in ("frontiers", "deadlines", "scaling", "critical_path"):
        assert files[f"{name}.png"].read_bytes().startswith(b"\x89PNG")
        assert files[f"{name}.pdf"].read_bytes().startswith(b"%PDF")


async def test_runs_of_other_problems_stand_in_a_group_of_their_own(tmp_path: Path) -> None:
    await sums_run(tmp_path / "six", model="big", n=2)
    await sums_run(tmp_path / "four", model="big", n=2, num_problems=4)
    write_report([tmp_path], folder=tmp_path / "report", tracking=NoTracking())
    table = pd.read_csv(tmp_path / "report" / "frontier.csv")
    assert table["group"].nunique() == 2
    assert {part.name for part in (tmp_path / "report" / "figures").iterdir()} == {"1", "2"}
