"""The page: one file that needs nothing else, holds what its views draw, and draws it in a browser."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

VOID = {"meta", "input", "br", "link"}
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
PLOTS = ("compute-plot", "system-plot", "anytime-plot", "scaling-plot", "path-plot", "decisions-plot")
TABLES = (
    "regret-table",
    "scaling-table",
    "levels-table",
    "equivalents-table",
    "costs-table",
    "ranking-table",
    "ranges-table",
    "runaways-table",
)


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
        assert set(cell["costs"]["tta_s_p50"]) == {
            "value",
            "low",
            "high",
            "is_on_frontier",
            "p_on_frontier",
            "dominated_by",
        }


def test_the_views_have_what_they_draw(group: Mapping[str, Any]) -> None:
    names = {cell["name"] for cell in group["cells"]}
    assert {curve["cell"] for curve in group["anytime"]} <= names
    assert [len(family["cells"]) for family in group["scaling"]] == [3, 3]
    assert all(
        math.isclose(sum(cell["path_s"].values()), mean_tta_s(cell), rel_tol=1e-3) for cell in group["cells"]
    )
    assert len(group["problems"]) == 3
    for problem in group["problems"]:
        assert all(attempt["candidates"][0]["text"] for attempt in problem["attempts"])


def mean_tta_s(cell: Mapping[str, Any]) -> float:
    return float(cell["costs"]["tta_s_mean"]["value"])


def test_the_map_of_decisions_names_a_cell_everywhere(group: Mapping[str, Any]) -> None:
    found = group["decisions"]
    places = {place for row in found["best"] for place in row}
    assert len(found["best"]) == len(found["usd_per_wait_s"])
    assert all(len(row) == len(found["value_per_correct_usd"]) for row in found["best"])
    assert places == set(range(len(found["winners"])))
    assert found["ranges"][0]["low"] == 0
    assert found["ranges"][-1]["high"] == "inf"


def test_what_ran_away_is_counted(group: Mapping[str, Any]) -> None:
    assert group["runaways"]
    for one in group["runaways"]:
        assert (one["num_problems"], one["num_truncated"], one["num_outliers"]) == (6, 0, 0)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.parametrize("is_dark", [False, True])
def test_a_browser_draws_every_view(report: Path, tmp_path: Path, is_dark: bool) -> None:
    done = subprocess.run(
        [
            str(BROWSER),
            *(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
            ),
            *(f"--user-data-dir={tmp_path}", "--virtual-time-budget=10000", "--enable-logging=stderr"),
            f"--blink-settings=preferredColorScheme={0 if is_dark else 1}",
            "--dump-dom",
            (report / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "CONSOLE" not in done.stderr  # nothing was thrown, nothing was asked of a network
    sections = dict(
        re.findall(
            r'id="([a-z]+-(?:plot|table))"(.*?)(?=id="[a-z]+-(?:plot|table|note)"|</main>)',
            done.stdout,
            re.DOTALL,
        )
    )
    assert [name for name in PLOTS if "main-svg" not in sections[name]] == []
    assert [name for name in TABLES if "<td" not in sections[name]] == []
    assert "6 runs in 1 group(s)" in done.stdout
