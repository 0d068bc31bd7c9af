"""The house stands: imports run downwards only, every name is ours, every module says what it is."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHELVES = ("strategies", "verifiers", "tasks")
TOP_LEVEL = ("tts_eval", *SHELVES, "pocket")

# A module imports from its own floor and from those before it. A package stands on one floor with all of its
# modules; what is not listed fails the test, so that a new noun is given its place.
FLOORS = (
    ("checks", "statistics", "hub", "concurrency", "options", "devices"),
    ("records", "hardware", "grading", "tracking", "fleet"),
    ("requests", "spend", "model", "dataset"),
    ("protocols", "measuring", "engines"),
    ("rundir", "toolkit", "engines.vllm"),
    ("llm", "summary", "planning", "engines.replay", "engines.server"),
    ("running", "analysis", "auditing"),
    ("command", "reporting", "checking"),
    (
        "__main__",
        "audit",
        "check_gpu",
        "check_speculation",
        "check_verifier",
        "new",
        "plan",
        "report",
        "show",
        "train_difficulty",
    ),
)
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names}

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CLOCKS = {"time", "datetime"}
COUNTERS = {"num_generated_tokens", "num_cached_tokens", "num_prompt_tokens"}


def modules(folder: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the dotted name and the syntax tree of every module in `folder`."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts).removesuffix(".__init__"), ast.parse(file.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports, at its top or deep inside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where the arrow points"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def noun(dotted: str) -> str:
    """Return the room of a name in the core: a module or package of the root, or a package of the engines."""
    parts = dotted.split(".")[1:]
    room = ".".join(parts[:2])
    return room if room in FLOOR_OF else parts[0] if parts else dotted


MODULES = [(name, tree) for folder in TOP_LEVEL for name, tree in modules(folder)]
CORE = [(name, tree) for name, tree in MODULES if name.startswith("tts_eval.")]


def of(folder: str) -> list[tuple[str, ast.Module]]:
    return [(name, tree) for name, tree in MODULES if name.split(".")[0] == folder]


def test_the_core_imports_no_shelf() -> None:
    found = [(name, target) for name, tree in CORE for target in imported(tree)]

    assert len(found) > 100
    assert [
        pair for pair in found if pair[1].split(".")[0] in (*SHELVES, "pocket", "benchmarks", "tests")
    ] == []


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_imports_the_core_alone(shelf: str) -> None:
    others = {*TOP_LEVEL, "tests"} - {"tts_eval"}
    found = [(name, target) for name, tree in of(shelf) for target in imported(tree)]

    assert [pair for pair in found if pair[1].split(".")[0] in others] == []


def test_imports_run_downwards_within_the_core() -> None:
    upwards = []
    for name, tree in CORE:
        for target in imported(tree):
            if target.startswith("tts_eval."):
                below = FLOOR_OF[noun(target)] <= FLOOR_OF[noun(name)]
                upwards += [] if below else [f"{name} imports {target}"]

    assert upwards == []


def test_every_noun_of_the_core_stands_on_a_floor() -> None:
    assert {noun(name) for name, _ in CORE} == set(FLOOR_OF)


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_a_top_level_name_is_ours(name: str) -> None:
    assert list(importlib.import_module(name).__path__) == [str(ROOT / name)]


@pytest.mark.parametrize("name", [name for name, tree in MODULES if tree.body])
def test_a_module_says_what_it_is(name: str) -> None:
    docstring = ast.get_docstring(dict(MODULES)[name])

    assert docstring is not None
    assert docstring.splitlines()[0][-1] in ".:"


@pytest.mark.parametrize("name", [name for name, _ in of("strategies")])
def test_a_strategy_reads_no_clock_counts_no_token_and_names_no_engine(name: str) -> None:
    tree = dict(MODULES)[name]
    used = {target.split(".")[0] for target in imported(tree)}
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert not used & CLOCKS
    assert not named & COUNTERS
    assert not any(target.startswith(("tts_eval.engines", "vllm")) for target in imported(tree))


def test_a_strategy_is_its_papers_pseudocode_not_its_checks() -> None:
    hooks = [
        node
        for _, tree in of("strategies")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and re.match("__post_init__|_?check|max_spend", node.name)
    ]

    assert len(hooks) > 10
    assert sum((node.end_lineno or 0) - node.lineno + 1 for node in hooks) <= 160


def test_there_are_few_protocols() -> None:
    protocols = [
        f"{name}.{node.name}"
        for name, tree in MODULES
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases)
    ]

    assert 5 < len(protocols) <= 15


def test_a_name_is_found_by_its_name() -> None:
    names = Counter(
        name.split(".")[-1] for name, tree in MODULES if tree.body and not name.startswith("pocket")
    )

    assert [name for name, number in names.items() if number > 2 and name != "__main__"] == []


def test_the_root_of_the_core_has_at_most_twenty_modules() -> None:
    assert 10 < len({*(ROOT / "tts_eval").glob("*.py")} - {ROOT / "tts_eval" / "__init__.py"}) <= 20


def test_the_page_counts_rooms_and_arrows() -> None:
    arrows = {
        (noun(name), noun(target))
        for name, tree in CORE
        for target in imported(tree)
        if target.startswith("tts_eval.") and noun(target) != noun(name)
    }
    upwards = sum(FLOOR_OF[target] > FLOOR_OF[name] for name, target in arrows)

    counted = (
        f"{len(FLOOR_OF)} rooms, {len(FLOORS)} floors, {len(arrows)} arrows between rooms, {upwards} upwards"
    )

    assert re.findall(r"\*\*Counted:\*\* (.*)\.", PAGE) == [counted]


def test_every_room_is_in_the_picture_on_its_floor() -> None:
    picture = PAGE.split("```mermaid")[1].split("```")[0]
    drawn = [set(names.split(" · ")) for names in re.findall(r'</b><br/>([\w. ·]+)"', picture)]

    assert drawn[::-1] == [set(names) for names in FLOORS]


def test_every_file_that_is_walked_through_is_there() -> None:
    files = re.findall(r"`((?:tts_eval|strategies|tasks|conf)/[\w/]+\.\w+)`", PAGE)

    assert PAGE.count("\n### ") == 4
    assert len(files) >= 40
    assert [file for file in files if not (ROOT / file).is_file()] == []
