"""Somebody else's `verifiers` in front of ours is told at the start, not found out in the middle of a run."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tts_eval.command.checkout import check_shelves


def test_in_a_checkout_every_shelf_is_ours() -> None:
    check_shelves()


@pytest.mark.parametrize("layout", ["verifiers.py", "verifiers/__init__.py"])
def test_a_package_of_the_same_name_is_told(
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    layout: str,
) -> None:
    theirs: Path = tmp_path_factory.mktemp("site") / layout
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("")
    monkeypatch.delitem(sys.modules, "verifiers", raising=False)
    monkeypatch.syspath_prepend(str(theirs.parents[layout.count("/")]))

    line = refused("strategy=nonsense")
    assert line.startswith(f"`import verifiers` finds {theirs}, not ")
    assert re.search(r"/verifiers/__init__\.py; install .* environment of its own, or run it from /", line)
